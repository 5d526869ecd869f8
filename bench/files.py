"""The file archive: what a request costs its server, beside nginx with WebDAV.

Costs are CPU of all processes of a server, so that clients and neighbours don't count. Requests to
the archive are signed, its puts hashed and synced; nginx does none of it.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.row import Row, Skipped, at_most, median, times
from bench.served import NGINX, OWNER, Served, archive, nginx
from bench.wire import Ask, asked, sent, upload, wires, written
from dayfly.files.repository import Repository

PART = "files"
KIB, MIB, GIB = 2**10, 2**20, 2**30
CONNECTIONS = 4
KEYS = 64  # different ones in turn
MANY = 1_000_000
BUCKET, FULL = "bench", "many"
LARGE = 5 * GIB
READERS, READ = 32, 1 * GIB


@dataclass(frozen=True)
class Kind:
    """One kind of request; `most` is how many times the CPU of nginx it may take."""

    what: str
    method: str
    size: int
    number: int  # of requests in a turn
    most: float | None


KINDS = (
    Kind("GET 1 MiB", "GET", MIB, 1000, 2),
    Kind("GET 4 KiB", "GET", 4 * KIB, 5000, 10),
    Kind("PUT 1 MiB", "PUT", MIB, 100, 5),
    Kind("PUT 4 KiB", "PUT", 4 * KIB, 400, None),
)


@dataclass(frozen=True)
class Turn:
    """CPU and time of one request, in ms."""

    cpu: float
    passed: float


def measure(rounds: int) -> Iterator[Row | Skipped]:
    with TemporaryDirectory(dir="/var/tmp", prefix="dayfly-bench-") as name:
        folder = Path(name)
        begin(folder / "archive")
        with archive(folder) as ours, nginx(folder / "nginx") as theirs:
            if theirs is None:
                yield Skipped(PART, f"{NGINX} is not on PATH: nothing is compared with it")
            filled(ours, theirs)
            for kind in KINDS:
                yield compared(kind, ours, theirs, rounds)
            yield listing(ours, rounds)
            yield large(ours)
            yield slow_readers(ours)


def begin(tree: Path) -> None:
    """An archive with an empty bucket, and one that has a million keys."""
    repository = Repository(tree, tree / ".dayfly" / "index")
    try:
        for name in (BUCKET, FULL):
            repository.create_bucket(name, owner=OWNER)
        repository.ground.catalogue.commit([(FILL, (MANY, FULL, OWNER))])
    finally:
        repository.close()


FILL = """
insert into objects
with recursive numbers(n) as (select 0 union all select n + 1 from numbers where n + 1 < ?)
select ?, printf('exports/%04d/report-%07d.csv', n / 1000, n), printf('%032x', n), 'null', 4096,
  printf('%032x', n * 7919), 1795000000000000000 + n * 1000000, ?, '', 0 from numbers
"""


def filled(ours: Served, theirs: Served | None) -> None:
    """Both have the same objects."""
    for size in (MIB, 4 * KIB):
        body = os.urandom(size)
        with wires(ours.port, CONNECTIONS) as found:
            asked(found, [Ask("PUT", f"/{BUCKET}/{size}/{n}", body) for n in range(KEYS)])
        if theirs:
            (theirs.files / BUCKET / str(size)).mkdir(parents=True)
            for number in range(KEYS):
                (theirs.files / BUCKET / str(size) / str(number)).write_bytes(body)


def compared(kind: Kind, ours: Served, theirs: Served | None, rounds: int) -> Row:
    body = os.urandom(kind.size) if kind.method == "PUT" else b""
    turns: dict[str, list[Turn]] = {"ours": [], "theirs": []}
    for number in range(-1, rounds):  # the first of either side is not counted
        for name, served in (("ours", ours), ("theirs", theirs)):
            if served:
                found = turn(served, kind, body, signed=name == "ours")
                turns[name] += [found] if number >= 0 else []
    costs = [each.cpu for each in turns["ours"]]
    note = f"a second: {rates(turns)}; {CONNECTIONS} connections at once"
    what = f"CPU of {kind.what}"
    if theirs is None:
        return Row(part=PART, what=what, ours=median(costs), unit="ms", note=note)
    floor = [each.cpu for each in turns["theirs"]]
    row = times(PART, what, costs, floor, "ms", kind.most or 0, note=note)
    return row if kind.most else told(row)


def told(row: Row) -> Row:
    """Shown, and not judged."""
    return Row(
        part=row.part,
        what=row.what,
        ours=row.ours,
        unit=row.unit,
        floor=row.floor,
        ratio=row.ratio,
        note=row.note,
    )


def rates(turns: dict[str, list[Turn]]) -> str:
    names = {"ours": "the archive", "theirs": "nginx"}
    return ", ".join(
        f"{names[name]} {1000 / median([each.passed for each in found]):,.0f}"
        for name, found in turns.items()
        if found
    )


def turn(served: Served, kind: Kind, body: bytes, *, signed: bool) -> Turn:
    folder = "written/" if kind.method == "PUT" else ""
    asks = [
        Ask(kind.method, f"/{BUCKET}/{folder}{kind.size}/{n % KEYS}", body, signed)
        for n in range(kind.number)
    ]
    with wires(served.port, CONNECTIONS) as found:
        requests = written(found, asks)
        return cost(served, kind.number, lambda: sent(found, requests))


def cost(served: Served, number: int, work: Callable[[], object]) -> Turn:
    before, began = served.cpu(), time.monotonic()
    work()
    passed = time.monotonic() - began
    return Turn((served.cpu() - before) / number * 1000, passed / number * 1000)


def listing(ours: Served, rounds: int) -> Row:
    """From all over the bucket, as a client that goes on asks for them."""
    pages = 30

    def target(number: int) -> str:
        after = f"exports%2F{(number * 37) % 1000:04d}%2F"
        return f"/{FULL}?list-type=2&max-keys=1000&start-after={after}"

    asks = [Ask("GET", target(number)) for number in range(pages)]
    with wires(ours.port, CONNECTIONS) as found:
        asked(found, asks)
        turns = [cost(ours, pages, lambda: asked(found, asks)) for _ in range(max(3, rounds))]
    return at_most(
        PART,
        "CPU of listing 1,000 keys of a million",
        median([each.cpu for each in turns]),
        "ms",
        10,
        note=f"{median([each.passed for each in turns]):.1f} ms of time, {CONNECTIONS} at once",
    )


def large(ours: Served) -> Row:
    piece = os.urandom(MIB)
    began = time.monotonic()
    with growth(ours) as grown, wires(ours.port, 1) as found:
        upload(found[0], f"/{BUCKET}/large", LARGE, piece)
    rate = LARGE / MIB / (time.monotonic() - began)
    note = f"{rate:,.0f} MiB a second, hashed and synced"
    return at_most(PART, "memory for an upload of 5 GiB", grown[0], "MB", 64, note=note)


def slow_readers(ours: Served) -> Row:
    """Each asks for a GiB, and reads a little of it now and then."""
    ask = Ask("GET", f"/{BUCKET}/large")
    with growth(ours) as grown, wires(ours.port, READERS) as found:
        for wire in found:
            wire.send(ask)
        for _ in range(20):
            for wire in found:
                wire.socket.recv(64 * KIB)
            time.sleep(0.1)
    what = f"memory for {READERS} slow readers of 5 GiB each"
    return at_most(PART, what, grown[0], "MB", 64)


@contextmanager
def growth(served: Served) -> Iterator[Sequence[float]]:
    """One figure, MB: how much more memory was taken at most than before."""
    before, most, over = served.memory(), [0.0], threading.Event()

    def look() -> None:
        while not over.wait(0.2):
            most[0] = max(most[0], served.memory() - before)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join()
