"""Two sites with gateways, hosts behind them and an internet between: network namespaces."""

import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import vici  # type: ignore[import-untyped]

from dayfly.clock import wait_until
from dayfly.machines.proc import alive
from dayfly.tunnel.strongswan import configuration
from dayfly.tunnel.talk import answers

DAYFLY = (sys.executable, "-c", "from dayfly.cli import main; main()")
ROOT = Path(__file__).parents[2]
SOURCES = {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'tests'}"}
DEV, PRODUCTION = "dev", "production"
_NUMBERS = itertools.count()

SITES = """
[tunnel.site.dev]
networks = ["10.1.0.0/16", "fd00:1::/48"]
gateway = "192.0.2.2"
probe = "10.1.0.1"

[tunnel.site.production]
networks = ["10.2.0.0/16", "fd00:2::/48"]
gateway = "198.51.100.2"
probe = "10.2.0.1"
"""


@dataclass(frozen=True)
class Space:
    """A network namespace."""

    name: str

    def argv(self, *words: str) -> list[str]:
        # Unlike `ip netns exec` it leaves mounts as they are.
        return ["nsenter", f"--net=/run/netns/{self.name}", "--", *words]

    def run(self, *words: str, check: bool = True, stdin: str = "") -> str:
        done = subprocess.run(
            self.argv(*words), input=stdin, capture_output=True, text=True, check=False, timeout=60
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(self.argv(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def ip(self, words: str) -> str:
        return self.run("ip", *words.split())


@dataclass
class Gateway:
    """A site's gateway, with its own DAYFLY_HOME."""

    site: str
    space: Space
    home: Path

    def settings(self, tunnel: str = "", sites: str = SITES) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        text = f'name = "{self.site}"\n[tunnel]\nhere = "{self.site}"\n{tunnel}\n{sites}'
        (self.home / "environment.toml").write_text(text)

    def dayfly(
        self, *words: str, status: int | None = 0, stdin: str = "", at: Path | None = None
    ) -> str:
        done = subprocess.run(
            self.space.argv(*DAYFLY, *words),
            cwd=at,
            env={**os.environ, **SOURCES, "DAYFLY_HOME": str(self.home), "HOME": str(self.home)},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        said = done.stdout + done.stderr
        assert status is None or done.returncode == status, f"{words}: {done.returncode} {said}"
        return said

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.dayfly("tunnel", "status", "--json", status=None))
        return found

    @contextmanager
    def vici(self) -> Iterator[vici.Session]:
        """The gateway's IKE daemon, to be told what Dayfly would not tell it."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self.home / "tunnel/charon.vici"))
            yield vici.Session(connection)

    @property
    def log(self) -> str:
        path = self.home / "tunnel/charon.log"
        return path.read_text() if path.exists() else ""

    def kill(self, *, keeper: bool = True, daemon: bool = True) -> None:
        """As a crash does it: nothing is told to anybody."""
        names = {"keeper.lock": keeper, "charon.pid": daemon}
        killed = [self.signal(name, signal.SIGKILL) for name in names if names[name]]
        # One that still ends has its lock for a moment, and would be taken for one that lives.
        wait_until(lambda: not any(map(alive, killed)), seconds=10, what="they are gone")

    def signal(self, name: str, number: signal.Signals) -> int:
        """Send to the keeper, or to the IKE daemon, by the file that has its pid."""
        pid = int((self.home / "tunnel" / name).read_text())
        os.kill(pid, number)
        return pid

    def purge(self) -> None:
        self.dayfly("tunnel", "down", status=None)
        shutil.rmtree(self.home, ignore_errors=True)


@dataclass
class World:
    """`host.dev` behind `dev`, then the internet, then `production` and `host.production`."""

    folder: Path
    spaces: dict[str, Space] = field(default_factory=dict)
    gateways: dict[str, Gateway] = field(default_factory=dict)

    @property
    def dev(self) -> Gateway:
        return self.gateways[DEV]

    @property
    def production(self) -> Gateway:
        return self.gateways[PRODUCTION]

    @property
    def internet(self) -> Space:
        return self.spaces["internet"]

    def host(self, site: str) -> Space:
        return self.spaces[f"host.{site}"]

    def pings(self, target: str, *, site: str = DEV) -> bool:
        return " 1 received" in self.host(site).run("ping", "-c1", "-W1", "-n", target, check=False)

    def until_pings(self, target: str, *, seconds: float = 60, site: str = DEV) -> float:
        """Seconds until the first answer, looking every 50 ms."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            words = ("ping", "-c1", "-W0.05", "-n", target)
            if " 1 received" in self.host(site).run(*words, check=False):
                return time.monotonic() - began
        raise AssertionError(f"no answer of {target} within {seconds} s")

    def add(self, name: str) -> Space:
        space = Space(f"df{os.getpid()}-{next(_NUMBERS)}-{name}"[:60])
        subprocess.run(["ip", "netns", "add", space.name], check=True)
        self.spaces[name] = space
        space.ip("link set lo up")
        return space

    def wire(self, one: str, first: str, another: str, second: str) -> None:
        """Two interfaces with the addresses that are given as `name address …`."""
        (left, *lefts), (right, *rights) = first.split(), second.split()
        here, there = self.spaces[one], self.spaces[another]
        here.ip(f"link add {left} type veth peer name {right} netns {there.name}")
        for space, name, addresses in ((here, left, lefts), (there, right, rights)):
            for address in addresses:
                nodad = " nodad" if ":" in address else ""
                space.ip(f"addr add {address} dev {name}{nodad}")
            space.ip(f"link set dev {name} up")

    def forward(self, name: str) -> None:
        for key in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
            path = f"/proc/sys/net/{key}"
            self.spaces[name].run("sh", "-c", f"echo 1 > {path}")

    def close(self) -> None:
        for gateway in self.gateways.values():
            gateway.purge()
        for space in self.spaces.values():
            subprocess.run(["ip", "netns", "del", space.name], check=False)


@contextmanager
def foreign(space: Space, folder: Path, swanctl: str) -> Iterator[Callable[[], None]]:
    """StrongSwan by hand, as a peer without Dayfly has it; gives a way to kill it."""
    folder.mkdir(parents=True, exist_ok=True)
    conf, socket_ = folder / "strongswan.conf", folder / "vici"
    conf.write_text(configuration(kernel=False, vici=socket_, log=folder / "charon.log"))
    (folder / "swanctl.conf").write_text(swanctl)
    socket_.unlink(missing_ok=True)
    process = subprocess.Popen(
        space.argv("charon-systemd"),
        env={**os.environ, "STRONGSWAN_CONF": str(conf)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # as a service is: the kernel shares CPU among sessions
    )
    try:
        wait_until(lambda: answers(socket_), seconds=10, what="the other strongSwan")
        argv = ["swanctl", "--load-all", "--file", str(folder / "swanctl.conf")]
        subprocess.run(
            [*argv, "--uri", f"unix://{socket_}"],
            env={**os.environ, "SWANCTL_DIR": str(folder), "STRONGSWAN_CONF": str(conf)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=20,
        )
        yield process.kill
    finally:
        process.terminate()
        process.wait(10)


def both(world: World, *words: str) -> None:
    """Type it on both gateways at once."""
    began = [
        subprocess.Popen(
            gateway.space.argv(*DAYFLY, *words),
            env={**os.environ, "DAYFLY_HOME": str(gateway.home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for gateway in world.gateways.values()
    ]
    for one in began:
        said, _ = one.communicate(timeout=60)
        assert one.returncode == 0, said.decode()


@contextmanager
def wired(folder: Path) -> Iterator[World]:
    """Wired and forwarding; nothing of Dayfly runs yet."""
    world = World(folder)
    try:
        for name in (f"host.{DEV}", DEV, "internet", PRODUCTION, f"host.{PRODUCTION}"):
            world.add(name)
        world.wire(
            f"host.{DEV}", "eth0 10.1.0.9/16 fd00:1::9/48", DEV, "lan 10.1.0.1/16 fd00:1::1/48"
        )
        world.wire(
            DEV,
            "wan 192.0.2.2/24 2001:db8:1::2/64",
            "internet",
            "todev 192.0.2.1/24 2001:db8:1::1/64",
        )
        world.wire(
            "internet",
            "toprod 198.51.100.1/24 2001:db8:2::1/64",
            PRODUCTION,
            "wan 198.51.100.2/24 2001:db8:2::2/64",
        )
        world.wire(
            PRODUCTION,
            "lan 10.2.0.1/16 fd00:2::1/48",
            f"host.{PRODUCTION}",
            "eth0 10.2.0.9/16 fd00:2::9/48",
        )
        defaults = (
            (f"host.{DEV}", "10.1.0.1", "fd00:1::1"),
            (DEV, "192.0.2.1", "2001:db8:1::1"),
            (PRODUCTION, "198.51.100.1", "2001:db8:2::1"),
            (f"host.{PRODUCTION}", "10.2.0.1", "fd00:2::1"),
        )
        for name, four, six in defaults:
            world.spaces[name].ip(f"route add default via {four}")
            world.spaces[name].ip(f"-6 route add default via {six}")
        for name in (DEV, "internet", PRODUCTION):
            world.forward(name)
        # As if the internet knew the private networks: what leaves in clear really arrives.
        world.internet.ip("route add 10.2.0.0/16 via 198.51.100.2")
        world.internet.ip("route add 10.1.0.0/16 via 192.0.2.2")
        for site in (DEV, PRODUCTION):
            world.gateways[site] = Gateway(site, world.spaces[site], folder / site)
        yield world
    finally:
        world.close()
