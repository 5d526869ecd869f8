"""The forwarder's CPU for a line: a process of its own, a file that grows, a store that answers."""

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.memory import cpu, pss
from bench.row import Row, at_most
from dayfly.logs.forwarded import About, written
from dayfly.logs.intake.forwarded import records
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


def haproxy(at: int) -> str:
    millis = int(time.time() * 1000) - (LINES - at) * 10
    path = f"\\/orders\\/{_rng.randrange(10**6)}"
    return (
        f"{millis} orders slot-001 orders-41-web-{at % 3} http 10.0.0.{at % 250} GET 200 -- 0 0 1"
        f" {at % 90} {at % 99} 0 {at % 9999} - {path}"
    )


def postgres(at: int) -> str:
    return (
        f"{_moment(at)} UTC [{at % 900}] orders@shop LOG:  duration: {at % 99}.123 ms"
        f"  statement: select * from orders where id = {_rng.randrange(10**6)}"
    )


def java(at: int) -> str:
    return (
        f"{_moment(at)}  INFO 4711 --- [nio-8080-exec-{at % 9}] c.example.orders.OrderService"
        f"      : order {_rng.randrange(10**6)} placed"
    )


def logfmt(at: int) -> str:
    return (
        f'time={_moment(at).replace(" ", "T")}Z level=info msg="order placed"'
        f" order={_rng.randrange(10**6)} ms={at % 900}"
    )


KINDS = (
    ("plain", plain),
    ("JSON", json),
    ("access log", access),
    ("Python", python),
    ("HAProxy", haproxy),
    ("PostgreSQL", postgres),
    ("Java", java),
    ("logfmt", logfmt),
)
# What the lines of a shop are: its proxy's and its web server's, its applications', its database's.
MIX = (haproxy, haproxy, json, json, python, python, plain, plain, access, postgres)


def mixed(at: int) -> str:
    """A file has lines of one kind mostly; here they take turns, which is the dearest."""
    return MIX[at % len(MIX)](at)


def measure() -> Iterator[Row]:
    used, memory = _cpu_per_line(mixed)
    yield at_most(
        PART, "CPU of a line, of all kinds", used, "µs", BAR, note=f"memory {memory:.0f} MB"
    )
    for name, kind in KINDS:
        used, _ = _cpu_per_line(kind)
        yield Row(part=PART, what=f"CPU of a line: {name}", ours=used, unit="µs")
    yield Row(
        part=PART,
        what="CPU of the store to read a line of all kinds",
        ours=_read_in_the_store(),
        unit="µs",
        note="before it is taken as any other record; lines are sent as they were written",
    )


def _read_in_the_store() -> float:
    lines = [mixed(at) for at in range(LINES // 10)]
    moment = time.time_ns()
    sent = written(About(moment=moment, app="orders", release=41, host="host1"), lines)
    before = time.process_time()
    records(sent)
    return (time.process_time() - before) / len(lines) * 1e6


def _cpu_per_line(kind: Callable[[int], str]) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder, scene(Path(folder)) as made:
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
