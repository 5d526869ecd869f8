"""What happens to a gateway's tunnel beside crashes, and what has to be there afterwards."""

import shlex
import signal
import subprocess
import sys
from collections.abc import Callable

from dayfly.clock import wait_until
from dayfly.config.home import Home
from dayfly.config.names import OPERATOR
from dayfly.config.secrets import Secrets
from dayfly.environment.supervised import guard
from dayfly.tunnel.changes import CLOSED, METRIC, PROTOCOL
from dayfly.tunnel.place import Place
from dayfly.tunnel.status import CHANGED, status_of
from dayfly.tunnel.strongswan import PRIORITY, TABLE
from gateways.wired import DEV, PRODUCTION, Gateway, World

THEIRS = {"-4": ("10.2.0.0/16", "192.0.2.1"), "-6": ("fd00:2::/48", "2001:db8:1::1")}
RESTORED = "as somebody took it away: the firewall's table of the tunnel"


def hold_what_others_take_away(world: World) -> None:
    """A firewall that is read again, rules and routes that are tidied up, and a route past it."""
    space = world.dev.space
    for version, (network, router) in THEIRS.items():
        space.ip(f"{version} route add {network} via {router}")
    space.run("nft", "flush", "ruleset")
    until("the guard is back", lambda: guarded(world.dev))
    until("it is said", lambda: any(RESTORED in note for note in world.dev.status()["notes"]))

    for version, (network, _) in THEIRS.items():
        space.ip(f"{version} rule del priority {PRIORITY}")
        space.ip(f"{version} rule del priority {CLOSED}")
        space.ip(f"{version} route flush table {TABLE}")
        space.ip(f"{version} route del blackhole {network} metric {METRIC}")
    world.until_pings("10.2.0.9")
    world.until_pings("fd00:2::9")
    until("what holds back is there again", lambda: all(held(world.dev, v) for v in THEIRS))
    for version, (network, router) in THEIRS.items():
        space.ip(f"{version} route del {network} via {router}")


def make_anew_what_nobody_had_seen(world: World) -> None:
    """Routes of one kind of IP, gone before the keeper that there is had looked."""
    world.dev.kill(daemon=False)
    world.dev.space.ip(f"route flush table {TABLE}")
    world.dev.dayfly("tunnel", "up")
    world.until_pings("10.2.0.9")
    world.until_pings("fd00:2::9")


def held(gateway: Gateway, version: str) -> bool:
    """By a rule and a route, where nothing leads into the tunnel."""
    network, _ = THEIRS[version]
    rule, route = (gateway.space.ip(f"{version} {table}") for table in ("rule", "route"))
    return f"to {network} blackhole" in rule and f"blackhole {network}" in route


def rules_of_its_own(world: World) -> None:
    """As a machine with two ways out has them; only one before the tunnel's leads past it."""
    space = world.dev.space
    space.ip("route add default via 192.0.2.1 table 100")
    space.ip("rule add from 10.1.0.0/16 lookup 100 priority 2")
    assert world.pings("10.2.0.9")
    assert world.dev.dayfly("tunnel", "status").count("don't find the tunnel") == 0
    world.dev.kill(daemon=False)  # nobody is there who would put the firewall back
    space.run("nft", "flush", "ruleset")
    assert world.pings("10.2.0.9")
    world.dev.dayfly("tunnel", "up")
    space.ip("rule add from 10.1.0.0/16 lookup 100 priority 0")
    said = "packets for 10.2.0.0/16 don't find the tunnel: a rule of this machine's routing goes"
    assert said in world.dev.dayfly("tunnel", "up")
    for priority in (0, 2):
        space.ip(f"rule del from 10.1.0.0/16 priority {priority}")
    space.ip("route flush table 100")
    world.until_pings("10.2.0.9")


def apply_other_settings(world: World) -> None:
    """`dayfly tunnel up` does."""
    toml = world.dev.home / "environment.toml"
    text = toml.read_text()
    toml.write_text(text.replace('probe = "10.1.0.1"', 'allow = ["icmp 10.1.0.0/16"]'))
    assert CHANGED in world.dev.status()["notes"]
    assert "Its settings have changed: they are applied" in world.dev.dayfly("tunnel", "up")
    assert "to_forward" in world.dev.space.run("nft", "list", "ruleset")
    toml.write_text(text.replace("production", "live"))
    found = world.dev.status()
    assert found["state"] == "established"
    assert CHANGED in found["notes"]
    assert found["connections"][0]["name"] == PRODUCTION
    toml.write_text(text)
    world.dev.dayfly("tunnel", "up")
    assert "to_forward" not in world.dev.space.run("nft", "list", "ruleset")
    assert "settings" not in world.dev.dayfly("tunnel", "up")
    world.until_pings("10.2.0.9")


def apply_another_key_that_nobody_saw(world: World) -> None:
    """The keeper was killed: what the old key let in does not stay because of that."""
    gateway, key = world.dev, Secrets(Home(world.dev.home).secrets).read(OPERATOR)["TUNNEL_KEY"]
    gateway.kill(daemon=False)
    gateway.dayfly("tunnel", "key", stdin="quite another key than that of the other side")
    said = gateway.dayfly("tunnel", "up", status=1)
    assert "Its settings have changed: they are applied" in said
    assert "key" in said.partition("not up yet: ")[2]  # both sides try, and see it each in its way
    assert not world.pings("10.2.0.9")
    gateway.dayfly("tunnel", "key", stdin=key)
    gateway.dayfly("tunnel", "up")
    world.until_pings("10.2.0.9")


def boot_without_a_key(world: World) -> None:
    """What holds back is there before the network is; the keeper says what it lacks."""
    gateway, secrets = world.dev, world.dev.home / "secrets"
    gateway.kill()
    forget_as_a_boot_does(gateway)
    away = secrets.rename(secrets.with_suffix(".away"))
    text = next(iter(guard(gateway.home, "x", gateway.home / "tunnel/closed.sh").values()))
    start = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    gateway.space.run(*shlex.split(start.removeprefix("ExecStart=")))
    world.forward(DEV)
    argv = gateway.space.argv(sys.executable, "-m", "dayfly.tunnel.keeper", str(gateway.home))
    keeper = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        lacks = "no value for the secret TUNNEL_KEY"
        told = gateway.home / "tunnel/keeper.json"
        until("it says what it lacks", lambda: lacks in told.read_text())
        assert not world.pings("10.2.0.9")
        away.rename(secrets)
        world.until_pings("10.2.0.9")
    finally:
        keeper.kill()
        keeper.wait()
    gateway.dayfly("tunnel", "up")


def forget_as_a_boot_does(gateway: Gateway) -> None:
    """Nothing is forwarded yet, and of the kernel's tables the machine's own are there."""
    for way in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        gateway.space.run("sh", "-c", f"echo 0 > /proc/sys/net/{way}")
    gateway.space.run("nft", "flush", "ruleset")
    for version in THEIRS:
        gateway.space.ip(f"{version} route flush table {TABLE}")
        gateway.space.ip(f"{version} route flush proto {PROTOCOL}")
        for priority in (PRIORITY, CLOSED):
            gateway.space.run("ip", version, "rule", "del", "priority", str(priority), check=False)
    assert "blackhole" not in gateway.space.ip("rule") + gateway.space.ip("route")


def replace_a_daemon_that_hangs(world: World) -> None:
    world.dev.signal("charon.pid", signal.SIGSTOP)
    said = status_of(Home(world.dev.home), Place(world.dev.home / "tunnel"), measure=False)
    silent = "the IKE daemon does not answer; one that hangs is replaced within seconds"
    assert said.reason == silent, said
    log = world.dev.home / "tunnel/keeper.log"
    until("it is replaced", lambda: "hangs, and was killed" in log.read_text())
    world.until_pings("10.2.0.9")


def guarded(gateway: Gateway) -> bool:
    return "dayfly_tunnel" in gateway.space.run("nft", "list", "tables")


def until(what: str, condition: Callable[[], bool]) -> None:
    wait_until(condition, seconds=20, what=what)
