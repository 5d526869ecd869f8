"""What a question costs as the store grows: the same question, the same day, ever more days behind.

The largest store has 25 times as many lines as the logs part, half as many each day.
"""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import polars as pl

from bench import loglines
from bench.row import Row, median
from dayfly.clock import DAY
from dayfly.logs.query.parse import parse
from dayfly.logs.store.frame import frame_of, joined
from dayfly.logs.store.line import read
from dayfly.logs.store.sealing import sealed
from dayfly.logs.store.segment import LEVEL, Segment
from dayfly.logs.store.settings import Settings
from dayfly.logs.store.shelf import DAYS, MANIFEST, Manifest
from dayfly.logs.store.store import Ask, Store

PART = "logs as they grow"
DAYS_STORED = (1, 10, 25, 50)
JUDGED_LINES = 10_000_000
MOST = 1.5  # times what it costs in the smallest store
TIMES = 15
SEGMENT_ROWS = 400_000  # as a day that is over has them
HOUR = DAY // 24
LAST = loglines.BEGIN + (DAYS_STORED[-1] - 1) * DAY  # the day that is asked about
NOON = Ask(since=LAST + 12 * HOUR, until=LAST + 13 * HOUR)
QUESTIONS = (
    ("newest 100", "", Ask()),
    ("newest 100 with status 500", "status:500", Ask()),
    ("newest 100 errors of one hour", "level:error", NOON),
    ("a word in one hour, by minute", "timeout | count() by 1m", NOON),
    ("paths of one hour, the top 10", "app:orders | top 10 path", NOON),
    ("patterns of one hour", "level:error | patterns", NOON),
)


def measure(lines: int) -> Iterator[Row]:
    """`lines` are those of two days."""
    with TemporaryDirectory() as folder:
        home = Path(folder) / "store"
        day = day_of_lines(lines // 2)
        stored = list[Segment]()
        least: dict[str, float] = {}
        for days in DAYS_STORED:
            while len({each.day for each in stored}) < days:
                stored += written(home, day, len({each.day for each in stored}))
            (home / MANIFEST).write_bytes(msgspec.json.encode(Manifest(segments=stored)))
            yield from _asked(home, days * day.height, least, judged=lines * 25 >= JUDGED_LINES)
        shutil.rmtree(home)


def day_of_lines(lines: int) -> pl.DataFrame:
    return joined([frame_of(read(body)) for body in loglines.bodies(lines)])


def written(home: Path, day: pl.DataFrame, back: int, level: int = LEVEL) -> list[Segment]:
    """The same lines as of some days before the last one."""
    moved = day.with_columns(pl.col("time") + (LAST - loglines.BEGIN - back * DAY))
    (home / DAYS).mkdir(parents=True, exist_ok=True)
    return sealed(home / DAYS, [moved], SEGMENT_ROWS, level)


def _asked(home: Path, lines: int, least: dict[str, float], *, judged: bool) -> Iterator[Row]:
    began = time.process_time()
    with Store(home, settings=Settings(rounds=False)) as store:
        many = f"of {lines / 1e6:g} million"
        opened = (time.process_time() - began) * 1000
        yield Row(part=PART, what=f"opening a store {many}, CPU", ours=opened, unit="ms")
        for what, text, ask in QUESTIONS:
            cost, first = _cost(store, text, ask)
            floor = least.setdefault(what, cost)
            known = judged and cost is not floor
            yield Row(
                part=PART,
                what=f"{what}, {many}",
                ours=cost,
                unit="ms",
                floor=floor,
                ratio=cost / floor,
                bar=f"≤ {MOST:g}×" if known else "",
                good=cost <= MOST * floor if known else None,
                note=f"warm CPU; the first time {first:.0f} ms",
            )


def _cost(store: Store, text: str, ask: Ask) -> tuple[float, float]:
    """CPU of a question in ms, when it was asked before, and the first time."""
    query, costs = parse(text), list[float]()
    for _ in range(TIMES):
        before = time.process_time()
        if query.pipes:
            store.aggregate(query, ask=ask)
        else:
            list(store.search(query, limit=100, ask=ask))
        costs.append((time.process_time() - before) * 1000)
    return median(costs[1:]), costs[0]
