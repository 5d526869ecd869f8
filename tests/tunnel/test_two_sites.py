"""What a user has of a tunnel: it is there, it stays, and nothing else crosses the internet."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dayfly.tunnel.status import UNKEPT
from dayfly.tunnel.strongswan import TABLE
from gateways import DEV, PRODUCTION, Space, World, both, found, recorded, strange, two_sites
from gateways.booted import become_a_unit
from gateways.named import reach_by_name
from gateways.troubles import (
    apply_another_key_that_nobody_saw,
    apply_other_settings,
    boot_without_a_key,
    hold_what_others_take_away,
    make_anew_what_nobody_had_seen,
    replace_a_daemon_that_hangs,
    rules_of_its_own,
    until,
)

MARKER = "planted-marker-of-this-test"
# Sends the marker to the other site for as long as it lives, IPv4 and IPv6.
SENDER = f"""
import contextlib, socket, time
four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
while True:
    with contextlib.suppress(OSError):
        four.sendto(b"{MARKER}", ("10.2.0.9", 9))
    with contextlib.suppress(OSError):
        six.sendto(b"{MARKER}", ("fd00:2::9", 9))
    time.sleep(0.01)
"""
# Answers every line of every connection with itself.
ECHO = """
import socketserver
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line)
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("10.2.0.9", 7000), Handler).serve_forever()
"""
# One connection; a line goes there and back for each line of its standard input.
CALLER = """
import socket, sys
connection = socket.create_connection(("10.2.0.9", 7000), timeout=30)
file = connection.makefile("rw")
for line in sys.stdin:
    file.write(line); file.flush()
    print(file.readline(), end="", flush=True)
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with two_sites(tmp_path_factory.mktemp("sites")) as made:
        for gateway in made.gateways.values():
            gateway.settings('secret = "TUNNEL_KEY"')
            gateway.dayfly("tunnel", "key", stdin="one key, the same on both gateways")
        yield made


@contextmanager
def running(space: Space, program: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        space.argv(sys.executable, "-c", program), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def say(caller: "subprocess.Popen[bytes]", word: bytes) -> bytes:
    assert caller.stdin
    assert caller.stdout
    caller.stdin.write(word + b"\n")
    caller.stdin.flush()
    return caller.stdout.readline().strip()


def rekey(world: World) -> None:
    """Both kinds of keys, as they are every hour and every four."""
    with world.dev.vici() as daemon:
        for what in ("child", "ike"):
            daemon.rekey({what: PRODUCTION})


def test_a_tunnel_lives_through_everything_and_nothing_crosses_the_internet_in_clear(
    world: World, tmp_path: Path
) -> None:
    file = tmp_path / "internet.pcap"
    before = machine(world.dev.space)
    world.dev.dayfly("tunnel", "down", "--closed")  # nothing was up: nothing is changed
    assert machine(world.dev.space) == before

    both(world, "tunnel", "up")
    with (
        recorded(world.internet, file),
        running(world.host(DEV), SENDER),
        running(world.host(PRODUCTION), ECHO),
    ):
        world.until_pings("10.2.0.9")
        world.until_pings("fd00:2::9")  # its neighbours have to be found first
        time.sleep(0.2)  # until the other host listens
        with running(world.host(DEV), CALLER) as caller:
            assert say(caller, b"one") == b"one"
            tell_what_is_there(world)

            rekey(world)
            assert say(caller, b"two") == b"two"
            until("keys are new", lambda: world.dev.log.count("established with SPIs") >= 2)

            # The daemons alone, then everything: what TCP can save goes on.
            world.production.kill(keeper=False)
            world.until_pings("10.2.0.9")
            world.dev.kill()
            world.production.kill()
            assert not world.pings("10.2.0.9")
            both(world, "tunnel", "up")
            world.until_pings("10.2.0.9")  # within 2 s: `scripts/campaign tunnel`
            assert say(caller, b"three") == b"three"

            keep_on(world)
            hold_what_others_take_away(world)
            make_anew_what_nobody_had_seen(world)
            rules_of_its_own(world)
            apply_other_settings(world)
            apply_another_key_that_nobody_saw(world)
            boot_without_a_key(world)
            replace_a_daemon_that_hangs(world)
            become_a_unit(world)
            reach_by_name(world)
            assert say(caller, b"still") == b"still"
            for gateway in (world.dev, world.production):
                gateway.kill()
                gateway.dayfly("tunnel", "up")
                world.until_pings("10.2.0.9")

            world.dev.dayfly("tunnel", "down", "--closed")
            assert not world.pings("10.2.0.9")
            status = world.production.status()
            assert status["state"] in {"down", "connecting"}
            assert status["reason"].startswith("the other gateway")
            assert status["notes"] == []  # routes that strongSwan itself takes away are no loss
            world.dev.dayfly("tunnel", "up")
            assert say(caller, b"four") == b"four"

    assert MARKER.encode() not in file.read_bytes()
    assert found(file, "net 10.0.0.0/8 or net fd00::/16") == []
    assert strange(file) == []
    assert len(found(file, "udp port 4500")) > 500

    world.dev.kill(daemon=False)
    (world.dev.home / "tunnel/charon.pid").unlink()  # as if killed before it was written
    for gateway in world.gateways.values():
        gateway.dayfly("tunnel", "down")
    assert machine(world.dev.space) == before


def tell_what_is_there(world: World) -> None:
    said = world.dev.dayfly("tunnel", "status")
    assert "tunnel dev to production  established  round trip" in said
    assert "198.51.100.2" in said
    status = world.dev.status()
    assert status["connections"][0]["bytes_out"] > 0
    assert status["connections"][0]["cipher"] == "AES_GCM_16-256"
    assert status["engine"] in {"the kernel's ESP", "kernel-libipsec, through TUN"}
    assert "left encrypted, none in clear" in world.dev.dayfly("tunnel", "check")
    pcap = world.folder / "dev.pcap"
    assert " 0 in clear" in world.dev.dayfly("tunnel", "capture", str(pcap), "--seconds", "0.3")
    assert found(pcap, "udp port 4500 or esp")
    assert "not up" not in world.dev.dayfly("tunnel", "up")  # doing it again is no error


def keep_on(world: World) -> None:
    """A keeper that is killed takes nothing with it; the next one takes over what runs."""
    folder = world.dev.home / "tunnel"
    daemon = (folder / "charon.pid").read_text()
    world.dev.kill(daemon=False)
    (folder / "charon.pid").unlink()
    assert world.pings("10.2.0.9")
    assert world.dev.status()["notes"] == [UNKEPT]
    for version in ("-4", "-6"):  # nobody is there who would see it
        world.dev.space.ip(f"{version} route flush table {TABLE}")
    world.dev.dayfly("tunnel", "up")
    world.until_pings("10.2.0.9")
    os.kill(int(daemon), 0)
    assert f"pid {daemon}, as before" in (folder / "keeper.log").read_text()


def machine(space: Space) -> list[str]:
    """Routes, rules, firewall and interfaces, but for what the kernel makes of links by itself."""
    said = [
        space.ip("-4 route show table all"),
        space.ip("-6 route show table all"),
        space.ip("rule"),
        space.ip("-6 rule"),
        space.run("nft", "list", "ruleset"),
        space.ip("-br link"),
        space.run("cat", "/proc/sys/net/core/xfrm_acq_expires"),
    ]
    lines = (line for part in said for line in part.splitlines())
    return sorted(line for line in lines if "fe80:" not in line and "ff00:" not in line)
