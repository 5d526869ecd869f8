"""Why a tunnel is not there: a clear line for each reason, on the side that knows it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from dayfly.clock import wait_until
from dayfly.config.home import Home
from dayfly.config.names import OPERATOR
from dayfly.config.secrets import Secrets
from dayfly.environment import units
from dayfly.errors import DayflyError
from dayfly.tunnel.authority import Authority, read_credentials
from dayfly.tunnel.connections import connections
from dayfly.tunnel.credentials import Credentials, today
from dayfly.tunnel.observed import Status
from dayfly.tunnel.place import Place
from dayfly.tunnel.plan import Plan
from dayfly.tunnel.prepared import prepare
from dayfly.tunnel.status import status_of
from dayfly.tunnel.talk import talking
from gateways import DAYFLY, DEV, PRODUCTION, SITES, Gateway, World, both, two_sites
from gateways.downloads import Told, generic
from gateways.wired import SOURCES

REFUSES = "the other side refuses: to it our key, certificate or identity is wrong"
YEAR = timedelta(days=365)


@dataclass
class Side:
    """One gateway's IKE daemon, which is told what the other one does not expect."""

    gateway: Gateway

    @property
    def place(self) -> Place:
        return Place(self.gateway.home / "tunnel")

    @property
    def plan(self) -> Plan:
        return prepare(Home(self.gateway.home), self.place).plan

    def load(self, plan: Plan, credentials: Credentials | None = None, crl: bytes = b"") -> None:
        with talking(self.place.vici) as daemon:
            daemon.load(plan, kernel=False, credentials=credentials, crl=crl)

    def load_changed(
        self, change: Callable[[dict[str, Any]], None], plan: Plan | None = None
    ) -> None:
        """A connection that Dayfly would not make."""
        for name, connection in connections(plan or self.plan, kernel=False).items():
            change(connection)  # type: ignore[arg-type]
            with self.gateway.vici() as daemon:
                daemon.load_conn({name: connection})

    def status(self) -> Status:
        return status_of(Home(self.gateway.home), self.place, measure=False)

    def until_reason(self, says: str) -> None:
        wait_until(lambda: says in self.status().reason, seconds=10, what=says)


@dataclass
class Pair:
    world: World
    dev: Side
    production: Side

    def connect(self) -> None:
        """End what is there, and begin anew from the side of dev."""
        with talking(self.dev.place.vici) as daemon:
            there = PRODUCTION in daemon.sas()
        with self.dev.gateway.vici() as daemon:
            if there:
                list(daemon.terminate({"ike": PRODUCTION, "force": "yes", "timeout": "-1"}))
        with talking(self.dev.place.vici) as daemon:
            daemon.initiate(PRODUCTION)

    def restore(self) -> None:
        for side in (self.dev, self.production):
            side.gateway.settings('secret = "TUNNEL_KEY"')
            side.load(side.plan)
        self.connect()
        wait_until(lambda: self.dev.status().is_up, seconds=10, what="both agree again")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with two_sites(tmp_path_factory.mktemp("refusals")) as world:
        for gateway in world.gateways.values():
            gateway.settings('secret = "TUNNEL_KEY"')
            gateway.dayfly("tunnel", "key", stdin="one key, the same on both gateways")
        both(world, "tunnel", "up")
        yield Pair(world, Side(world.dev), Side(world.production))


@pytest.fixture(autouse=True)
def restored(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "pair" in request.fixturenames:
        request.getfixturevalue("pair").restore()


def with_peer(plan: Plan, **told: Any) -> Plan:  # noqa: ANN401
    return replace(plan, peers=tuple(replace(peer, **told) for peer in plan.peers))


@pytest.mark.parametrize(
    ("told", "on_dev", "on_production"),
    [
        (
            {"key": "another key than the one of the other side"},
            REFUSES,
            "the pre-shared key of the two sides is not the same",
        ),
        ({"identity": "somebody"}, REFUSES, "an identity that is not expected here"),
    ],
)
def test_another_key_or_identity(
    pair: Pair, told: dict[str, str], on_dev: str, on_production: str
) -> None:
    pair.production.load(with_peer(pair.production.plan, **told))
    pair.connect()

    pair.dev.until_reason(on_dev)
    pair.production.until_reason(on_production)


def test_other_networks(pair: Pair) -> None:
    other = (ip_network("10.3.0.0/16"),)
    pair.production.load(replace(pair.production.plan, ours=other))
    pair.connect()

    pair.dev.until_reason("the two sides name other networks")


@pytest.mark.parametrize("which", ["ike", "esp"])
def test_other_ciphers(pair: Pair, which: str) -> None:
    def change(connection: dict[str, Any]) -> None:
        if which == "ike":
            connection["proposals"] = ["aes128-sha256-modp4096"]
        else:
            connection["children"][DEV]["esp_proposals"] = ["aes128gcm16"]

    pair.production.load_changed(change)
    pair.connect()

    refused_at_once = "the other gateway refuses the first message: it knows none at this address"
    in_common = "the two sides have no proposal in common"
    pair.dev.until_reason(refused_at_once if which == "ike" else in_common)
    pair.production.until_reason(in_common)


def issued(folder: Path, site: str, *, ago: timedelta = timedelta(0)) -> Credentials:
    folder.mkdir(exist_ok=True)
    pem = Authority(folder / "ca").issue(site, now=today() - ago, lasts=YEAR)
    (folder / f"{site}.pem").write_bytes(pem)
    return read_credentials(folder / f"{site}.pem")


def test_certificates_of_strangers_of_yesterday_and_of_the_revoked(
    pair: Pair, tmp_path: Path
) -> None:
    ours = with_peer(pair.dev.plan, key=None)
    theirs = with_peer(pair.production.plan, key=None)
    mine, good = issued(tmp_path / "own", DEV), issued(tmp_path / "own", PRODUCTION)
    for side in (pair.dev, pair.production):
        side.gateway.settings()

    # An impostor has a CA of his own.
    pair.dev.load(ours, mine)
    pair.production.load(theirs, issued(tmp_path / "impostor", PRODUCTION))
    pair.connect()
    pair.dev.until_reason(REFUSES)
    pair.production.until_reason("the certificate of dev is not signed by the CA")

    expired = issued(tmp_path / "own", PRODUCTION, ago=YEAR + timedelta(days=2))
    pair.production.load(theirs, expired)
    pair.connect()
    pair.dev.until_reason("a certificate is not valid now: it holds from ")

    pair.production.load(theirs, good)
    authority = Authority(tmp_path / "own/ca")
    held = authority.issued(PRODUCTION, now=today())
    authority.revoke([each.serial for each in held], tmp_path / "crl.pem", now=today())
    crl = (tmp_path / "crl.pem").read_bytes()
    pair.dev.load(ours, mine, crl)
    pair.connect()
    pair.dev.until_reason("the certificate was revoked on ")

    pair.dev.load(ours, mine)
    pair.connect()
    wait_until(lambda: pair.dev.status().is_up, seconds=10, what="a good certificate is taken")

    # Revoked while the tunnel stands: out when it has to prove anew who it is, here within 3 s.
    pair.dev.load_changed(
        lambda told: told.update(reauth_time="2s", over_time="1s", rand_time="0s"), ours
    )
    pair.connect()
    wait_until(lambda: pair.dev.status().is_up, seconds=10, what="the tunnel stands")
    with talking(pair.dev.place.vici) as daemon:
        daemon.load(ours, kernel=False, credentials=mine, crl=crl)
    pair.dev.until_reason("the certificate was revoked on ")
    assert not pair.dev.status().is_up


def test_a_gateway_that_does_not_answer(pair: Pair) -> None:
    internet = pair.world.internet
    internet.run("nft", "-f", "-", stdin=BLOCKED)
    try:
        pair.connect()
        pair.dev.until_reason("the other gateway does not answer: UDP 500 and 4500 may be blocked")
    finally:
        internet.run("nft", "delete", "table", "inet", "blocked")


BLOCKED = """table inet blocked {
  chain f { type filter hook forward priority 0; policy accept; udp dport { 500, 4500 } drop; }
}"""


# -- what is in the way on this machine


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose other side is nowhere."""
    with two_sites(tmp_path_factory.mktemp("alone")) as world:
        yield world.dev


def refused(gateway: Gateway, *words: str) -> str:
    said = gateway.dayfly("tunnel", *words, status=1)
    assert said.startswith("Error: ")
    assert "defect" not in said
    return said


WITHIN: Sequence[Told] = (
    ("192.0.2.2", "34.194.10.1", "first.key_of_32_characters_aaaaa"),
    ("192.0.2.2", "10.2.3.4", "second.key_of_32_characters_bbbb"),
)


def unprepared(home: Home) -> str:
    with pytest.raises(DayflyError) as error:
        prepare(home, Place(home.tunnel))
    return f"{error.value.message} {error.value.hint}"


def test_what_the_settings_promise_has_to_be_there(tmp_path: Path) -> None:
    home, toml = Home(tmp_path), tmp_path / "environment.toml"
    toml.write_text("")
    assert "environment.toml has no [tunnel]" in unprepared(home)

    head = '[tunnel]\nhere = "dev"\n'
    toml.write_text(f'{head}secret = "TUNNEL_KEY"\n{SITES}')
    assert "no value for the secret TUNNEL_KEY" in unprepared(home)

    one = SITES.replace(', "fd00:1::/48"', "").replace(', "fd00:2::/48"', "")
    toml.write_text(head + one.replace('gateway = "198.51.100.2"', 'aws = "vpn.xml"'))
    assert "vpn.xml: No such file or directory" in unprepared(home)
    (tmp_path / "vpn.xml").write_text(generic(WITHIN))
    assert "10.2.3.4 is in 10.2.0.0/16, which goes through the tunnel" in unprepared(home)
    (tmp_path / "vpn.xml").write_bytes(b"\xff\xfe")
    assert "vpn.xml: is not UTF-8 text" in unprepared(home)

    toml.write_text(head + SITES)
    assert "dev.pem: the certificate of this site is missing" in unprepared(home)
    issued(tmp_path / "tunnel", DEV, ago=YEAR + timedelta(days=2))
    assert "dev.pem: the certificate of this gateway expired on " in unprepared(home)
    theirs = issued(tmp_path / "tunnel", PRODUCTION)
    shown = theirs.key + theirs.certificate + theirs.ca
    (tmp_path / "tunnel/dev.pem").write_bytes(shown)
    assert "dev.pem: a certificate of production, and this site is dev" in unprepared(home)
    issued(tmp_path / "tunnel", DEV)
    assert prepare(home, Place(home.tunnel)).credentials


def test_certificates_and_keys_are_made_by_commands(alone: Gateway) -> None:
    alone.settings()
    assert "nobody else may have it" in alone.dayfly("tunnel", "certificate", DEV)
    assert "no such site" in refused(alone, "certificate", "elsewhere")
    (alone.home / "tunnel/dev.pem").unlink()  # it went to its gateway
    alone.dayfly("tunnel", "certificate", DEV)
    said = alone.dayfly("tunnel", "revoke", DEV, "--keep-newest")
    assert said.count("the certificate until") == 1
    assert alone.dayfly("tunnel", "revoke", DEV).count("the certificate until") == 1
    assert "nothing was added" in alone.dayfly("tunnel", "revoke", DEV)
    (alone.home / "tunnel/crl.pem").write_text("")
    assert "crl.pem: no list of revoked certificates" in refused(alone, "up")
    (alone.home / "tunnel/crl.pem").unlink()
    assert "There is no tunnel to bring down." in alone.dayfly("tunnel", "down")
    alone.settings('secret = "TUNNEL_KEY"')
    assert "needs 20 characters or more" in alone.dayfly("tunnel", "key", stdin="x", status=1)
    alone.dayfly("tunnel", "key", stdin="a key, written on Windows\r\n")
    kept = Secrets(Home(alone.home).secrets).read(OPERATOR)
    assert kept["TUNNEL_KEY"] == "a key, written on Windows"


def test_what_this_machine_lacks_is_named(alone: Gateway) -> None:
    ordinary()(alone)
    hidden = 'mount --bind /dev/null /usr/sbin/charon-systemd && exec "$@"'
    done = subprocess.run(
        alone.space.argv("unshare", "--mount", "sh", "-c", hidden, "sh", *DAYFLY, "tunnel", "up"),
        env={"DAYFLY_HOME": str(alone.home), **python_path()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "strongSwan is missing here (charon-systemd)" in done.stderr
    assert "apt-get install charon-systemd" in done.stderr


def test_another_ike_daemon_and_networks_in_use_are_named(alone: Gateway) -> None:
    ordinary()(alone)
    with holding(alone, 500) as pid:
        said = refused(alone, "up")
        assert "UDP port 500 is taken by python" in said
        assert f"(pid {pid})" in said
        after_a_boot_it_is_named_too(alone)

    alone.space.ip("addr add 10.2.0.77/32 dev lan")
    said = refused(alone, "up")
    alone.space.ip("addr del 10.2.0.77/32 dev lan")
    assert "is in use here: an address of this machine, 10.2.0.77 dev lan" in said

    alone.space.ip("route add 10.2.7.0/24 dev lan")
    said = refused(alone, "up")
    alone.space.ip("route del 10.2.7.0/24 dev lan")
    assert "10.2.0.0/16 of the other site is in use here: 10.2.7.0/24 dev lan" in said
    assert "blackhole" not in alone.space.ip("route")


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ("route {} 10.77.0.0/16 dev lan table 7220", "a route in the table 7220: 10.77.0.0/16"),
        ("rule {} to 10.2.0.0/16 priority 2 blackhole", "the blackhole rule of 10.2.0.0/16"),
        ("route {} blackhole 10.2.0.0/16 metric 4200000000", "in use here: 10.2.0.0/16 (black"),
    ],
)
def test_what_the_machine_has_where_the_tunnels_own_is_put_is_named_and_stays(
    alone: Gateway, own: str, says: str
) -> None:
    ordinary()(alone)
    alone.space.ip(own.format("add"))
    said = refused(alone, "up")
    alone.dayfly("tunnel", "down")
    alone.space.ip(own.format("del"))  # it is there still

    assert says in said


@pytest.mark.skipif(units.runs(), reason="systemd runs here, and no test may change its units")
def test_where_systemd_does_not_run_nothing_is_changed(alone: Gateway) -> None:
    ordinary()(alone)

    assert "systemd does not run this machine" in refused(alone, "up", "--systemd")
    assert "blackhole" not in alone.space.ip("route")


def test_a_copied_file_and_a_home_too_deep_for_a_socket_are_named(alone: Gateway) -> None:
    ordinary()(alone)
    toml = alone.home / "environment.toml"
    toml.write_text(toml.read_text().replace("192.0.2.2", "192.0.2.9"))
    toml.write_text(toml.read_text().replace("198.51.100.2", "192.0.2.2"))
    says = '`here` is "dev", and 192.0.2.2, the gateway of production, is an address of this'
    assert says in refused(alone, "up")

    deep = Gateway(DEV, alone.space, alone.home / ("x" * 100))
    ordinary()(deep)
    assert "tunnel/charon.vici: has " in refused(deep, "up")
    assert "blackhole" not in alone.space.ip("route")


def test_a_second_home_leaves_what_the_first_holds_back(alone: Gateway) -> None:
    ordinary()(alone)
    alone.dayfly("tunnel", "up", status=None)
    alone.dayfly("tunnel", "down", "--closed")
    held = alone.space.run("nft", "list", "ruleset")
    second = Gateway(DEV, alone.space, alone.home.with_name("second"))
    ordinary()(second)

    link = alone.home.with_name("link")
    link.symlink_to(alone.home)
    same = Gateway(DEV, alone.space, link)
    assert "holds this machine's traffic" not in same.dayfly("tunnel", "up", status=1)
    same.dayfly("tunnel", "down", "--closed")
    held = alone.space.run("nft", "list", "ruleset")

    said = refused(second, "up")
    assert f"the tunnel of {alone.home} holds this machine's traffic" in said
    assert f"DAYFLY_HOME={alone.home} dayfly tunnel down" in said
    assert "There is no tunnel to bring down." in second.dayfly("tunnel", "down")
    assert alone.space.run("nft", "list", "ruleset") == held

    alone.dayfly("tunnel", "down")
    second.dayfly("tunnel", "up", status=None)
    assert f'comment "of {second.home}/tunnel"' in alone.space.run("nft", "list", "ruleset")
    second.dayfly("tunnel", "down")


SLOW_NFT = """#!/bin/sh
if [ "$1" = -f ]; then touch {0}/begun; until [ -e {0}/go ]; do sleep 0.05; done; fi
exec /usr/sbin/nft "$@"
"""


def test_a_down_beside_an_up_waits_for_it(alone: Gateway, tmp_path: Path) -> None:
    ordinary()(alone)
    (tmp_path / "nft").write_text(SLOW_NFT.format(tmp_path))
    (tmp_path / "nft").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"

    def typed(*words: str, path: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            alone.space.argv(*DAYFLY, "tunnel", *words),
            env={**os.environ, **SOURCES, "DAYFLY_HOME": str(alone.home), "PATH": path},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    up = typed("up", path=path)
    wait_until((tmp_path / "begun").exists, seconds=20, what="up is at work")
    down = typed("down", path=os.environ["PATH"])
    wait_until(
        lambda: down.poll() is not None or waits(down.pid), seconds=20, what="down waits for it"
    )
    (tmp_path / "go").touch()
    for each in (up, down):
        each.wait(60)

    shown = (
        alone.space.ip("rule"),
        alone.space.ip("route"),
        alone.space.run("nft", "list", "tables"),
    )
    assert not [said for said in shown if "blackhole" in said or "dayfly_tunnel" in said]


def waits(pid: int) -> bool:
    """For a lock."""
    lines = Path("/proc/locks").read_text().splitlines()
    return any("->" in line and str(pid) in line.split() for line in lines)


def after_a_boot_it_is_named_too(gateway: Gateway) -> None:
    """And no daemon is started beside it."""
    argv = gateway.space.argv(sys.executable, "-m", "dayfly.tunnel.keeper", str(gateway.home))
    keeper = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        told = gateway.home / "tunnel/keeper.json"
        taken = "UDP port 500 is taken by python"
        wait_until(lambda: told.exists() and taken in told.read_text(), seconds=10, what=taken)
        assert taken in gateway.status()["reason"]
        assert "ipsec0" not in gateway.space.ip("-br link")
    finally:
        keeper.terminate()
        keeper.wait()
        gateway.dayfly("tunnel", "down")


def ordinary() -> Callable[[Gateway], None]:
    def write(gateway: Gateway) -> None:
        gateway.settings('secret = "TUNNEL_KEY"')
        gateway.dayfly("tunnel", "key", stdin="one key, the same on both gateways")

    return write


def python_path() -> dict[str, str]:
    return {"PYTHONPATH": "src", "PATH": "/usr/bin:/bin:/usr/sbin"}


@contextmanager
def holding(gateway: Gateway, port: int) -> Iterator[int]:
    """Another program that has this UDP port."""
    program = f"""
import socket
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); one.bind(("", {port}))
print("ready", flush=True); input()
"""
    process = subprocess.Popen(
        gateway.space.argv(sys.executable, "-c", program),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
    finally:
        process.communicate(b"\n")
