"""A tunnel under blow after blow, with a captured internet and markers that never stop.

Whatever is killed, cut or made anew: the capture holds IKE and ESP only, and traffic is back soon.
`seconds` count from the end of what was done, `took` is how long that took.
"""

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dayfly.durable import write_atomically
from dayfly.tunnel.strongswan import PRIORITY, TABLE
from gateways.captured import found, recorded, strange
from gateways.wired import DEV, PRODUCTION, SITES, World, both, wired

WANTED = 100  # blows
AT_ONCE = 20  # under one capture
LONGEST = 20.0  # seconds that one may take; with less left none is begun
PATIENCE = 30.0
# In every other session dev has no address that production knows: it calls.
CALLER = SITES.replace('gateway = "192.0.2.2"\n', "")
KEY = "one key, the same on both gateways"
MARKER = "planted-marker-of-this-campaign"
SENDER = f"""
import contextlib, socket, time
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    with contextlib.suppress(OSError):
        one.sendto(b"{MARKER}", ("{{target}}", 9))
    time.sleep(0.02)
"""
CUT = """table inet cut {
  chain way { type filter hook forward priority 0; policy drop; }
}"""
LOSSY = """table inet cut {
  chain way { type filter hook forward priority 0; policy accept; numgen random mod 10 < 1 drop; }
}"""

Blow = Callable[[World, random.Random], None]
Row = dict[str, Any]


def run(folder: Path, seed: int, budget: float) -> dict[str, Any]:
    """All that the budget (seconds) has room for; the rest when it is called again."""
    ends = time.monotonic() + budget
    path = folder / "progress.json"
    rows: list[Row] = json.loads(path.read_text()) if path.exists() else []
    while len(rows) < WANTED and ends - time.monotonic() > LONGEST:
        rows += _session(seed + len(rows), min(AT_ONCE, WANTED - len(rows)), ends)
        write_atomically(path, json.dumps(rows))
    return {"held": _held(rows), "figures": _figures(rows), "blows": rows}


def _held(rows: list[Row]) -> bool:
    clean = all(row["clear"] == 0 for row in rows)
    return len(rows) >= WANTED and clean and all(row["seconds"] <= row["bar"] for row in rows)


def _figures(rows: list[Row]) -> dict[str, Any]:
    names = sorted({row["blow"] for row in rows})
    by_name = {name: sorted(r["seconds"] for r in rows if r["blow"] == name) for name in names}
    whole = {
        name: max(row["took"] + row["seconds"] for row in rows if row["blow"] == name)
        for name in names
    }
    return {
        "wanted": WANTED,
        "done": len(rows),
        "clear": sum(row["clear"] for row in rows),
        "counted": "back: seconds from the end of what was done, as when `dayfly tunnel up` has"
        " returned; whole: the worst with the time of that, too",
        "whole": {name: round(seconds, 3) for name, seconds in whole.items()},
        "back": {
            name: {"times": len(own), "median": own[len(own) // 2], "worst": own[-1]}
            for name, own in by_name.items()
        },
    }


def _session(seed: int, wanted: int, ends: float) -> list[Row]:
    chance, rows = random.Random(seed), list[Row]()
    with tempfile.TemporaryDirectory(prefix="dayfly-") as folder, wired(Path(folder)) as world:
        calls = bool(seed // AT_ONCE % 2)
        for gateway in world.gateways.values():
            gateway.settings('secret = "TUNNEL_KEY"', sites=CALLER if calls else SITES)
            gateway.dayfly("tunnel", "key", stdin=KEY)
        both(world, "tunnel", "up")
        file = Path(folder, "internet.pcap")
        with recorded(world.internet, file):
            senders = [
                world.host(site).start(sys.executable, "-c", SENDER.format(target=target))
                for site, target in ((DEV, "10.2.0.9"), (PRODUCTION, "10.1.0.9"))
            ]
            while len(rows) < wanted and ends - time.monotonic() > LONGEST:
                rows.append(_blow(world, chance))
            for sender in senders:
                sender.kill()
                sender.communicate()
        clear = _clear(file)
    return [{**row, "clear": clear, "calls": calls} for row in rows]


def _blow(world: World, chance: random.Random) -> Row:
    name = chance.choice(list(BLOWS))
    blow, bar = BLOWS[name]
    began = time.monotonic()
    blow(world, chance)
    took = time.monotonic() - began
    seconds = world.until_pings("10.2.0.9", seconds=PATIENCE)
    world.until_pings("10.1.0.9", seconds=PATIENCE, site=PRODUCTION)
    return {"blow": name, "seconds": round(seconds, 3), "bar": bar, "took": round(took, 3)}


def _clear(file: Path) -> int:
    """Packets that are neither IKE nor ESP, and markers."""
    stray = len(strange(file)) + len(found(file, "net 10.0.0.0/8"))
    return stray + file.read_bytes().count(MARKER.encode())


# -- blows; traffic has to be back so many seconds after the last command


def _daemon(world: World, chance: random.Random) -> None:
    chance.choice(list(world.gateways.values())).kill(keeper=False)


def _tidied(world: World, chance: random.Random) -> None:
    """As a firewall that is read again does it, and who tidies up rules and routes."""
    space = chance.choice(list(world.gateways.values())).space
    space.run("nft", "flush", "ruleset")
    space.run("ip", "rule", "del", "priority", str(PRIORITY), check=False)
    space.ip(f"route flush table {TABLE}")


def _gateway(world: World, chance: random.Random) -> None:
    gateway = chance.choice(list(world.gateways.values()))
    gateway.kill()
    gateway.dayfly("tunnel", "up")


def _everything(world: World, _: random.Random) -> None:
    for gateway in world.gateways.values():
        gateway.kill()
    both(world, "tunnel", "up")


def _down(world: World, chance: random.Random) -> None:
    gateway = chance.choice(list(world.gateways.values()))
    gateway.dayfly("tunnel", "down", "--closed")
    gateway.dayfly("tunnel", "up")


def _rekey(world: World, chance: random.Random) -> None:
    with world.dev.vici() as daemon:
        daemon.rekey({chance.choice(("child", "ike")): PRODUCTION})


def _cut(world: World, chance: random.Random) -> None:
    _meanwhile(world, CUT, chance.uniform(0.5, 6))


def _lossy(world: World, chance: random.Random) -> None:
    _meanwhile(world, LOSSY, chance.uniform(0.5, 3))


def _meanwhile(world: World, rules: str, seconds: float) -> None:
    world.internet.run("nft", "-f", "-", stdin=rules)
    time.sleep(seconds)
    world.internet.run("nft", "delete", "table", "inet", "cut")


BLOWS: Mapping[str, tuple[Blow, float]] = {
    "an IKE daemon is killed": (_daemon, 2.0),
    "a gateway is killed and started": (_gateway, 2.0),
    "both gateways are killed and started": (_everything, 2.0),
    "one side is brought down and up": (_down, 2.0),
    "firewall, rules and routes are taken away": (_tidied, 3.0),
    "keys are made anew": (_rekey, 2.0),
    "the internet is cut for a while": (_cut, 5.0),
    "the internet loses one packet in ten for a while": (_lossy, 2.0),
}
