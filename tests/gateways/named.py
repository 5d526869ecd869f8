"""A gateway that knows the other one by a name, and a DNS that may be silent."""

from dataclasses import dataclass
from pathlib import Path

from dayfly.config.home import Home
from dayfly.tunnel.place import Place
from dayfly.tunnel.status import status_of
from gateways.mounted import Mounted
from gateways.troubles import until
from gateways.wired import Gateway, World

NAME = "vpn.test"
SILENT = "table inet dns {\n chain i { type filter hook input priority 0; udp dport 53 drop; }\n}"
MOUNTS = """mount --bind {0}/hosts /etc/hosts
mount --bind {0}/resolv.conf /etc/resolv.conf
"""


@dataclass(frozen=True)
class Asking(Mounted):
    """A network namespace whose programs have name servers of their own."""

    def know(self, hosts: str) -> None:
        (self.folder / "hosts").write_text(f"127.0.0.1 localhost\n{hosts}\n")


def asking(gateway: Gateway, folder: Path) -> tuple[Gateway, Asking]:
    folder.mkdir()
    space = Asking(gateway.space.name, folder, MOUNTS)
    space.know("")
    (folder / "resolv.conf").write_text("nameserver 127.0.0.9\noptions timeout:1 attempts:1\n")
    return Gateway(gateway.site, space, gateway.home), space


def reach_by_name(world: World) -> None:
    """While DNS is silent a daemon that is well stays, and what is missing is said."""
    toml = world.dev.home / "environment.toml"
    text = toml.read_text()
    gateway, space = asking(world.dev, world.folder / "names")
    for each in world.gateways.values():
        each.dayfly("tunnel", "down", "--closed")
    world.dev.space.run("nft", "-f", "-", stdin=SILENT)
    try:
        toml.write_text(text.replace("198.51.100.2", NAME))
        said = gateway.dayfly("tunnel", "up", status=1)
        assert f"the name of the other gateway, {NAME}, can't be resolved" in said
        daemon = (gateway.home / "tunnel/charon.pid").read_text()
        world.production.dayfly("tunnel", "up")  # the other site can call
        world.until_pings("10.2.0.9")

        world.production.dayfly("tunnel", "down", "--closed")
        until("it is said again", lambda: NAME in reason(gateway))
        space.know(f"10.2.0.77 {NAME}")
        until("it leads into the tunnel itself", lambda: "10.2.0.77 is in" in reason(gateway))
        space.know(f"198.51.100.2 {NAME}")
        until("it is called", lambda: NAME not in reason(gateway))
        world.production.dayfly("tunnel", "up")
        world.until_pings("10.2.0.9")
        assert (gateway.home / "tunnel/charon.pid").read_text() == daemon
    finally:
        world.dev.space.run("nft", "delete", "table", "inet", "dns")
        toml.write_text(text)


def reason(gateway: Gateway) -> str:
    """Why it is down."""
    return status_of(Home(gateway.home), Place(gateway.home / "tunnel"), measure=False).reason
