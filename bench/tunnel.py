"""What the tunnel costs: beside the same namespaces without one, and one written by hand."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from bench.memory import cpu
from bench.row import Row, Skipped, at_most, median, times
from dayfly.command import output_of, which
from gateways.wired import DEV, PRODUCTION, World, both, foreign, wired

PART = "the tunnel"
KEY = "one key, the same on both gateways"
SECONDS = 1.0  # of sending, for each side in each round
TRIPS = 300
PROGRAMS = ("charon-systemd", "nft", "ip")

# Receives, and answers what asks to be answered.
SERVER = """
import socketserver
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(1 << 18):
            if data[:1] == b"?":
                self.request.sendall(b"!")
socketserver.ThreadingTCPServer.allow_reuse_address = True
server = socketserver.ThreadingTCPServer(("10.2.0.9", 7000), Handler)
print("ready", flush=True); server.serve_forever()
"""
CLIENT = f"""
import json, socket, time
trips = []
with socket.create_connection(("10.2.0.9", 7000)) as one:
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range({TRIPS}):
        began = time.perf_counter(); one.sendall(b"?"); one.recv(1)
        trips.append(time.perf_counter() - began)
block, sent = b"x" * (1 << 16), 0
with socket.create_connection(("10.2.0.9", 7000)) as one:
    began = time.perf_counter()
    while time.perf_counter() - began < {SECONDS}:
        one.sendall(block); sent += len(block)
    one.shutdown(socket.SHUT_WR); one.recv(1)
    took = time.perf_counter() - began
print(json.dumps([sorted(trips)[len(trips) // 2] * 1e6, took * 1e3 / (sent / 1e6), sent / 1e6]))
"""
BY_HAND = """
connections {{
  site {{
    version = 2
    remote_addrs = {there}
    proposals = aes256gcm16-prfsha384-ecp384
    local {{
      auth = psk
      id = {here_id}
    }}
    remote {{
      auth = psk
      id = {there_id}
    }}
    children {{
      site {{
        local_ts = {ours}
        remote_ts = {theirs}
        esp_proposals = aes256gcm16-ecp384
        start_action = {action}
      }}
    }}
  }}
}}
secrets {{
  ike-site {{
    secret = "{key}"
  }}
}}
"""


@dataclass(frozen=True)
class Run:
    trip: float  # µs, the median
    megabyte: float  # ms that one takes
    cpu: float = 0.0  # ms of both IKE daemons for one, where it is they who encrypt


def measure(rounds: int) -> Iterator[Row | Skipped]:
    missing = [name for name in PROGRAMS if which(name) is None]
    if os.geteuid() != 0 or missing:
        yield Skipped(PART, f"it needs root and {', '.join(missing or PROGRAMS)}")
        return
    with tempfile.TemporaryDirectory(prefix="dayfly-") as folder, wired(Path(folder)) as world:
        for gateway in world.gateways.values():
            gateway.settings('secret = "TUNNEL_KEY"')
            gateway.dayfly("tunnel", "key", stdin=KEY)
        with _served(world):
            yield from _through(world, rounds)
        yield from _up(world, rounds)


def _through(world: World, rounds: int) -> Iterator[Row]:
    ways: dict[str, Callable[[], AbstractContextManager[object]]] = {
        "none": nullcontext,
        "hand": lambda: _by_hand(world),
        "ours": lambda: _ours(world),
    }
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            with way():
                world.until_pings("10.2.0.9", seconds=10)
                runs[name].append(_run(world))
    told = [("round trip", "trip", "µs"), ("a megabyte", "megabyte", "ms")]
    if runs["hand"][0].cpu:
        told.append(("CPU of the daemons for a megabyte", "cpu", "ms"))
    for what, field, unit in told:
        ours, hand, none = (
            [float(getattr(run, field)) for run in runs[name]] for name in ("ours", "hand", "none")
        )
        note = f"without a tunnel {median(none):.3g} {unit}"
        yield times(PART, f"{what}, beside swanctl.conf by hand", ours, hand, unit, 1.1, note=note)


def _up(world: World, rounds: int) -> Iterator[Row]:
    """The other side is there; until the command says that the tunnel stands."""
    both(world, "tunnel", "up")
    found = []
    for _ in range(rounds):
        world.dev.dayfly("tunnel", "down")
        began = time.monotonic()
        world.dev.dayfly("tunnel", "up")
        found.append(time.monotonic() - began)
    yield at_most(PART, "`dayfly tunnel up`", median(found), "s", 1.0)


def _run(world: World) -> Run:
    pids = _daemons(world)
    before = sum(map(cpu, pids))
    trip, megabyte, sent = json.loads(world.host(DEV).run(sys.executable, "-c", CLIENT))
    spent = sum(map(cpu, pids)) - before
    return Run(trip=trip, megabyte=megabyte, cpu=spent * 1e3 / sent)


def _daemons(world: World) -> list[int]:
    """Of both gateways, whoever started them."""
    spaces = [gateway.space.name for gateway in world.gateways.values()]
    found = [output_of(["ip", "netns", "pids", space]).split() for space in spaces]
    pids = [int(pid) for each in found for pid in each]
    return [pid for pid in pids if "charon" in _command(pid)]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return ""


@contextmanager
def _ours(world: World) -> Iterator[None]:
    both(world, "tunnel", "up")
    try:
        yield
    finally:
        both(world, "tunnel", "down")


@contextmanager
def _by_hand(world: World) -> Iterator[None]:
    ours, theirs = "10.1.0.0/16", "10.2.0.0/16"
    sides = (
        (PRODUCTION, "192.0.2.2", DEV, theirs, ours, "none"),
        (DEV, "198.51.100.2", PRODUCTION, ours, theirs, "start"),
    )
    with ExitStack() as stack:
        for here, there, other, own, others, action in sides:
            text = BY_HAND.format(
                there=there, here_id=here, there_id=other, ours=own, theirs=others,
                action=action, key=KEY,
            )  # fmt: skip
            folder = world.folder / f"by-hand-{here}"
            stack.enter_context(foreign(world.spaces[here], folder, text))
        yield


@contextmanager
def _served(world: World) -> Iterator[None]:
    argv = world.host(PRODUCTION).argv(sys.executable, "-c", SERVER)
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout
            server.stdout.readline()
            yield
        finally:
            server.kill()
