"""The forwarder's CPU for a line: a process of its own, a file that grows, a store that answers."""

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.memory import cpu, pss
from bench.row import Row, at_most
from forwarding import Scene, scene

PART = "the forwarder"
LINES = 200_000
BAR = 3.0  # µs
_rng = random.Random(4)


def plain(_: int) -> str:
    number, total = _rng.randrange(10**6), _rng.randrange(10**4) / 100
    return (
        f"order {number} of user {_rng.randrange(10**5)} placed, total {total} EUR, warehouse north"
    )


def json(at: int) -> str:
    return (
        f'{{"event":"order placed","level":"info","timestamp":"{_moment(at)}Z",'
        f'"order":{_rng.randrange(10**6)},"ms":{_rng.randrange(900)}}}'
    )


def access(at: int) -> str:
    clock = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(_second(at)))
    path = f"/orders/{_rng.randrange(10**6)}"
    return (
        f'10.0.0.{at % 250} - - [{clock}] "GET {path} HTTP/1.1" 200 {at % 9999} "-" "Mozilla/5.0"'
    )


def python(at: int) -> str:
    return f"{_moment(at)} INFO orders.web: order {_rng.randrange(10**6)} placed"


def measure() -> Iterator[Row]:
    used, memory = _cpu_per_line(plain, parse=False)
    yield at_most(PART, "CPU of a line, forwarded", used, "µs", BAR, note=f"memory {memory:.0f} MB")
    for name, kind in (
        ("plain", plain),
        ("JSON", json),
        ("access log", access),
        ("Python", python),
    ):
        used, _ = _cpu_per_line(kind, parse=True)
        yield Row(part=PART, what=f"CPU of a line, read: {name}", ours=used, unit="µs")


def _cpu_per_line(kind: Callable[[int], str], *, parse: bool) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder, scene(Path(folder), parse=parse) as made:
        made.start("store")
        made.start("forwarder")
        log = made.logs / "app.log"
        log.write_text("the first\n")
        made.wait_for_all(log)
        pid = made.processes["forwarder"].pid
        before = cpu(pid)
        _fill(made, kind)
        made.wait_for_all(log)
        return (cpu(pid) - before) / LINES * 1e6, pss(pid)


def _fill(made: Scene, kind: Callable[[int], str]) -> None:
    lines = (kind(at) for at in range(LINES))
    with (made.logs / "app.log").open("a") as file:
        file.write("\n".join(lines) + "\n")


def _moment(at: int) -> str:
    clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(_second(at)))
    return f"{clock}.{_rng.randrange(1000):03d}"


def _second(at: int) -> int:
    return int(time.time()) - (LINES - at) // 100
