"""An internet as it is: NAT, changing addresses, loss, small packets; and what may come through."""

import re
import sys
from collections.abc import Iterator

import pytest

from dayfly.clock import wait_until
from gateways import DEV, PRODUCTION, SITES, World, both, two_sites

# The site dev is behind somebody's NAT: it has no address of its own that others could call.
# Two of production's networks are behind a router of it: its gateway has no address in them.
CALLER = (
    SITES.replace('gateway = "192.0.2.2"\n', "")
    .replace('"10.2.0.0/16"', '"10.0.77.0/24", "10.2.0.0/16", "fd00:77::/48"')
    .replace(
        'probe = "10.2.0.1"',
        'probe = "10.2.0.1"\nallow = ["tcp 10.2.0.9:7000", "tcp 10.2.0.1:7002",'
        ' "icmp 10.2.0.0/16", "icmp 10.0.77.0/24", "icmp fd00:77::/48"]',
    )
)
NAT = """table ip nat {
  chain after { type nat hook postrouting priority 100; policy accept;
    oifname "toprod" masquerade random
  }
}"""
# A gateway translates for its hosts, as gateways do, without sparing the other site; some early.
OWN_NAT = NAT.replace('oifname "toprod"', "").replace("priority 100", "priority 50")
# As a container's port is published.
PUBLISHED = """table ip published {
  chain way { type nat hook prerouting priority -100; policy accept;
    ip daddr 10.2.0.1 tcp dport 7002 dnat to 10.2.0.9:7001
  }
}"""
LOSSY = """table ip lossy {
  chain way { type filter hook forward priority 0; policy accept;
    numgen random mod 100 < 5 drop
  }
}"""
SERVER = """
import socketserver, sys
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"%d" % len(self.rfile.read()))
        print(self.client_address[0], flush=True)
socketserver.ThreadingTCPServer.allow_reuse_address = True
server = socketserver.ThreadingTCPServer(("10.2.0.9", int(sys.argv[1])), Handler)
print("ready", flush=True); server.serve_forever()
"""
SEND = """
import socket, sys
with socket.create_connection((sys.argv[4], int(sys.argv[1])), timeout=float(sys.argv[2])) as one:
    one.sendall(bytes(int(sys.argv[3]))); one.shutdown(socket.SHUT_WR); print(one.recv(20).decode())
"""
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with two_sites(tmp_path_factory.mktemp("hard")) as made:
        made.internet.run("nft", "-f", "-", stdin=NAT)
        made.dev.space.run("nft", "-f", "-", stdin=OWN_NAT)
        for gateway in made.gateways.values():
            gateway.settings(sites=CALLER)
        made.dev.dayfly("tunnel", "certificate", DEV)
        made.dev.dayfly("tunnel", "certificate", PRODUCTION)
        (made.production.home / "tunnel").mkdir()
        (made.dev.home / "tunnel/production.pem").rename(
            made.production.home / "tunnel/production.pem"
        )
        both(made, "tunnel", "up")
        yield made


def sent(
    world: World,
    amount: int = MEGABYTE,
    *,
    to: str = "10.2.0.9",
    port: int = 7000,
    seconds: float = 30,
) -> str:
    words = (sys.executable, "-c", SEND, str(port), str(seconds), str(amount), to)
    return world.host(DEV).run(*words, check=False)


def prove_anew(world: World) -> None:
    """As every four hours, who is who, without a gap: 20 ms are between two packets."""

    def proofs() -> int:
        return world.dev.log.count("established between")

    before = proofs()
    words = ("ping", "-i", "0.02", "-c", "150", "-W", "5", "-q", "-n", "10.2.0.9")
    pings = world.host(DEV).start(*words)
    with world.dev.vici() as daemon:
        daemon.rekey({"ike": PRODUCTION, "reauth": "yes"})
    (received,) = re.findall(rb"(\d+) received", pings.communicate()[0])
    assert int(received) >= 148  # one that is just under way may come too late
    assert proofs() == before + 1


def call_the_caller(world: World) -> None:
    """The side that it called was killed: it is not noticed there, and NAT lets in who it knew."""
    world.production.kill(keeper=False)
    world.until_pings("10.2.0.9")
    assert "to 198.51.100.1" in world.production.log  # of its NAT


def reach_behind_a_router(world: World) -> None:
    """And it goes on when somebody takes away what the gateway needs for that."""
    gateway, router = world.production.space, world.host(PRODUCTION)
    for version, network, host, via in (
        ("-4", "10.0.77.0/24", "10.0.77.9", "10.2.0.9"),
        ("-6", "fd00:77::/48", "fd00:77::9", "fd00:2::9"),
    ):
        router.ip(f"{version} addr add {host} dev lo")
        gateway.ip(f"{version} route add {network} via {via}")
        world.until_pings(host)
    assert "10.0.77.0/32 fd00:77::/128" in " ".join(gateway.ip("-br addr show dev lo").split())
    gateway.ip("addr del 10.0.77.0/32 dev lo")
    world.until_pings("10.0.77.9")
    wait_until(lambda: "10.0.77.0/32" in gateway.ip("addr"), seconds=10, what="it is back")


def test_a_tunnel_over_a_bad_internet(world: World) -> None:
    host = world.host(PRODUCTION)
    servers = [host.start(sys.executable, "-c", SERVER, port) for port in ("7000", "7001")]
    first = servers[0].stdout
    assert first
    try:
        for server in servers:
            assert server.stdout
            assert server.stdout.readline() == b"ready\n"

        # Behind NAT, with certificates; a host keeps its address, whatever a gateway translates.
        assert world.production.status()["connections"][0]["gateway"] == "198.51.100.1"
        assert sent(world) == f"{MEGABYTE}\n"
        assert first.readline() == b"10.1.0.9\n"

        prove_anew(world)
        call_the_caller(world)

        reach_behind_a_router(world)

        # Only what production allows comes in.
        assert "timed out" in sent(world, 10, port=7001, seconds=1)
        world.production.space.run("nft", "-f", "-", stdin=PUBLISHED)
        assert sent(world, 10, to="10.2.0.1", port=7002) == "10\n"
        assert world.pings("10.2.0.9")
        assert world.pings("10.1.0.9", site=PRODUCTION)

        # Small packets on the way, and one in twenty lost.
        world.internet.ip("link set dev toprod mtu 1000")
        world.production.space.ip("link set dev wan mtu 1000")
        assert sent(world) == f"{MEGABYTE}\n"
        world.internet.run("nft", "-f", "-", stdin=LOSSY)
        assert sent(world, MEGABYTE // 4) == f"{MEGABYTE // 4}\n"
        world.internet.run("nft", "delete", "table", "ip", "lossy")

        # The caller gets another address.
        world.dev.space.ip("addr del 192.0.2.2/24 dev wan")
        world.dev.space.ip("addr add 192.0.2.77/24 dev wan")
        world.dev.space.ip("route replace default via 192.0.2.1")
        world.until_pings("10.2.0.9")

        world.production.dayfly("tunnel", "down")
        assert "77" not in world.production.space.ip("-br addr show dev lo")
    finally:
        for server in servers:
            server.kill()
            server.communicate()
