"""A release that reaches production through the tunnel, and one that must not without it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dayfly.config.home import Home, token
from gateways import PRODUCTION, SITES, World, both, found, recorded, two_sites
from production.projects import project
from workshop import open_folder

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy]

# The server of production answers at its private address only.
SERVER = """
[api]
listen = "10.2.0.1:8081"
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


def know(world: World) -> None:
    """What the developer's machine is told of production."""
    contexts = world.dev.home / ".config/dayfly/contexts.toml"
    contexts.parent.mkdir(parents=True)
    secret = token(Home(world.production.home))
    contexts.write_text(f'[production]\naddress = "http://10.2.0.1:8081"\ntoken = "{secret}"\n')
    contexts.chmod(0o600)


def test_a_release_goes_through_the_tunnel_and_not_without_it(tmp_path: Path) -> None:
    with open_folder() as folder, production(folder) as world:
        kinds = project(tmp_path / "kinds")
        commit = kinds.commit()
        said = world.production.dayfly("up")  # which does not wait for the other site
        assert "The environment is up" in said
        know(world)

        said = world.production.dayfly("status")
        assert "tunnel down" in said
        assert "it is not brought up here: `dayfly tunnel up`" in said
        refused = world.production.dayfly("release", commit, at=kinds.folder, status=1)
        assert "the tunnel is down, which [tunnel] of environment.toml requires" in refused

        both(world, "tunnel", "up")
        file = tmp_path / "internet.pcap"
        with recorded(world.internet, file):
            words = ("-e", "production", "release", commit)
            world.dev.dayfly(*words, at=kinds.folder)
        assert "tunnel up" in world.dev.dayfly("-e", "production", "status")
        assert len(found(file, "udp port 4500")) > 20
        assert found(file, "net 10.0.0.0/8 or tcp") == []

        world.production.dayfly("destroy", PRODUCTION)
        assert "blackhole" not in world.production.space.ip("route")
