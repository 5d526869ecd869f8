"""A release that reaches production through the tunnel, and one that must not without it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dayfly.config.home import Home, token
from gateways import DEV, PRODUCTION, SITES, World, both, found, recorded, two_sites
from production.projects import project
from workshop import open_folder

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy]

# The server of production answers at its private address only.
SERVER = """
[api]
listen = "10.2.0.1:8081"
tls = true
[logs.host]
journal = false
syslog = []
postgresql = []
"""


@contextmanager
def production(folder: Path) -> Iterator[World]:
    with two_sites(folder) as world:
        for gateway in world.gateways.values():
            more = 'secret = "TUNNEL_KEY"'
            if gateway.site == PRODUCTION:
                gateway.settings(f"{more}\nrequired = true", SITES + SERVER)
            else:
                gateway.settings(more)
            gateway.dayfly("tunnel", "key", stdin="one key, the same on both gateways")
        try:
            yield world
        finally:
            world.production.dayfly("down", status=None)


def log_in(world: World) -> None:
    """From the developer's machine, which has to know the CA before it sends the token."""
    offered = world.production.dayfly("login").split()
    fingerprint = offered[offered.index("--fingerprint") + 1]
    secret = token(Home(world.production.home))
    words = ("login", "https://10.2.0.1:8081")
    refused = world.dev.dayfly(*words, "--fingerprint", "ab" * 32, stdin=secret, status=1)
    assert "another CA than expected answers" in refused
    assert "Name the fingerprint" in world.dev.dayfly(*words, stdin=secret, status=2)
    said = world.dev.dayfly(*words, "--fingerprint", fingerprint, stdin=secret)
    assert "production is known: `dayfly -e production status`." in said


def test_a_release_goes_through_the_tunnel_and_not_without_it(tmp_path: Path) -> None:
    with open_folder() as folder, production(folder) as world:
        kinds = project(tmp_path / "kinds")
        commit = kinds.commit()
        said = world.production.dayfly("up")  # which does not wait for the other site
        assert "The environment is up" in said
        said = world.production.dayfly("status")
        assert "tunnel down" in said
        assert "it is not brought up here: `dayfly tunnel up`" in said
        refused = world.production.dayfly("release", commit, at=kinds.folder, status=1)
        assert "the tunnel is not seen to stand, which environment.toml requires" in refused

        both(world, "tunnel", "up")
        file = tmp_path / "internet.pcap"
        with recorded(world.internet, file):
            log_in(world)
            words = ("-e", "production", "release", commit)
            world.dev.dayfly(*words, at=kinds.folder)
        assert "tunnel up" in world.dev.dayfly("-e", "production", "status")
        told = json.loads(world.production.dayfly("status", "--json"))["services"]["tunnel"]
        assert told["connections"][0]["bytes_in"] > 0
        assert (told["state"], told["to"], told["problems"]) == ("up", DEV, [])
        assert len(found(file, "udp port 4500")) > 20
        assert found(file, "net 10.0.0.0/8 or tcp") == []

        world.production.dayfly("destroy", PRODUCTION)
        assert "blackhole" not in world.production.space.ip("route")
