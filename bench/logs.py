"""The log store: what a line costs, what it takes on disk, how fast it is found.

VictoriaLogs stands beside it where its program is on PATH. The bars are of a million lines or more
(--lines): with fewer, what every question costs, however little there is, outweighs the rest.
"""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import intake as sending
from bench import loglines
from bench.memory import pss
from bench.row import Row, Skipped, at_most, median
from bench.victoria import PROGRAM, Victoria, victoria
from dayfly.command import end_group, started
from dayfly.logs.query.parse import parse
from dayfly.logs.query.tree import Select
from dayfly.logs.store.settings import Settings
from dayfly.logs.store.store import Store
from kept import everything
from kept.appender import LINES, SETTINGS

PART = "logs"
JUDGED_LINES = 1_000_000
TIMES = 20
ACKNOWLEDGED = 300  # batches before the kill
MB = 1024 * 1024


@dataclass(frozen=True)
class Question:
    what: str
    ours: str
    theirs: str
    most: float | None  # times their CPU
    limit: int = 100


PER = "| stats by (_time:{}) count()"
QUESTIONS = (
    Question("newest 100", "", "*", 1),
    Question("status 500, newest 100", "status:500", "fields.status:=500", 1),
    Question("one hour of an app, newest 100", "HOUR app:orders", "HOUR app:=orders", 1),
    Question(
        "errors per minute", "level:error | count() by 1m", "level:=error " + PER.format("1m"), 1
    ),
    Question("word per hour", "timeout | count() by 1h", "timeout " + PER.format("1h"), 1),
    Question("substring", '"oices/19"', "~'(?i)oices/19'", 1.2),
    Question("regex", "/took 19[0-9]{2} ms/", "~'took 19[0-9]{2} ms'", 3),
    Question("rare word", loglines.NEEDLE, loglines.NEEDLE, 3),
    Question("absent word", "nowhere4711", "nowhere4711", 3),
    Question("patterns", "| patterns", "", None),
)
HOUR = "time:2025-12-28T1{0}:00..2025-12-28T1{1}:00"


def measure(rounds: int, lines: int) -> Iterator[Row | Skipped]:
    with TemporaryDirectory() as folder, victoria(Path(folder) / "victoria") as theirs:
        if theirs is None:
            yield Skipped(PART, f"{PROGRAM} is not on PATH: nothing is compared with it")
        home = Path(folder) / "store"
        written = Path(folder) / "lines"
        with written.open("wb") as file:
            raw = sum(file.write(body) for body in loglines.bodies(lines))
        yield from intake(home, written, lines, raw, theirs)
        with Store(home) as store:
            for question in QUESTIONS:
                row = asked(question, store, theirs, max(3, rounds))
                yield row if lines >= JUDGED_LINES else replace(row, bar="", good=None)
        yield at_rest(home)
        with victoria(Path(folder) / "again") as fresh:
            yield from sending.measure(PART, Path(folder) / "sent", lines, fresh)
        yield lost_after_kill(Path(folder) / "killed")


def bodies_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while body := b"".join(
            line for _, line in zip(range(loglines.BODY_LINES), file, strict=False)
        ):
            yield body


def intake(
    home: Path, written: Path, lines: int, raw: int, theirs: Victoria | None
) -> Iterator[Row]:
    def per_line(seconds: float) -> float:
        return seconds / lines * 1e6

    with Store(home, now=lambda: loglines.BEGIN / 1e9) as store:
        before, began = time.process_time(), time.monotonic()
        for body in bodies_of(written):
            store.append(body)
        store.seal()
        ours, passed = per_line(time.process_time() - before), time.monotonic() - began
    with Store(home, settings=Settings(rounds=False)) as store:  # the day is over
        before = time.process_time()
        while store.compact():
            pass
        packed = per_line(time.process_time() - before)
        size = sum(usage.size for usage in store.usage())
    floor = per_line(theirs.insert(bodies_of(written))) if theirs else None
    yield Row(
        part=PART,
        what="CPU of a line, durable and sealed",
        ours=ours,
        unit="µs",
        floor=floor,
        ratio=ours / floor if floor else None,
        note=f"{lines:,} lines of {raw // lines} bytes in bodies of {loglines.BODY_LINES}, "
        f"{lines / passed:,.0f} a second, each body synced; ours without HTTP; "
        f"packing the day for good, in the background later, {packed:.1f} µs more",
    )
    taken = theirs.size() if theirs else None
    yield Row(
        part=PART,
        what="disk, after merging",
        ours=size / MB,
        unit="MB",
        floor=taken / MB if taken else None,
        ratio=size / taken if taken else None,
        bar="≤ 1×" if taken else "",
        good=size <= taken if taken else None,
        note=f"{raw / size:.1f} times smaller than the JSON",
    )


def asked(question: Question, store: Store, theirs: Victoria | None, times: int) -> Row:
    query = parse(question.ours.replace("HOUR", HOUR.format(2, 3)))
    costs, rows = [], 0
    for _ in range(times):
        before = time.process_time()
        if query.pipes and not isinstance(query.pipes[0], Select):
            rows = len(store.aggregate(query).rows)
        else:
            rows = len(list(store.search(query, limit=question.limit)))
        costs.append((time.process_time() - before) * 1000)
    ours = median(costs)
    floor = None
    if theirs and question.theirs:
        hour = "_time:[2025-12-28T12:00:00Z, 2025-12-28T13:00:00Z)"
        limit = 0 if "stats" in question.theirs else question.limit
        seconds, _ = theirs.ask(question.theirs.replace("HOUR", hour), TIMES, limit)
        floor = seconds * 1000
    return Row(
        part=PART,
        what=f"{question.what}, warm CPU",
        ours=ours,
        unit="ms",
        floor=floor,
        ratio=ours / floor if floor else None,
        bar=f"≤ {question.most:g}×" if floor and question.most else "",
        good=ours <= floor * question.most if floor and question.most else None,
        note=f"{rows} rows",
    )


def at_rest(home: Path) -> Row:
    """A process that has answered once and does nothing more."""
    code = (
        "import sys,time\nfrom bench.logs import answered\nanswered(sys.argv[1])\ntime.sleep(600)"
    )
    with started([sys.executable, "-c", code, str(home)]) as process:
        try:
            assert process.stdout
            said = json.loads(process.stdout.readline())
            time.sleep(1)
            taken = pss(process.pid)
        finally:
            end_group(process)
    note = f"opened in {said['seconds']:.2f} s, at most {said['peak']:.0f} MB so far"
    return at_most(PART, "memory at rest", taken, "MB", 200, note=note)


def lost_after_kill(home: Path) -> Row:
    argv = [sys.executable, "-m", "kept.appender", str(home), "0"]
    with started(argv) as process:
        assert process.stdout
        said = [process.stdout.readline() for _ in range(ACKNOWLEDGED)]
        process.kill()
    with Store(home, settings=SETTINGS) as store:
        found = {int(message.split()[1]) for message in everything(store)}
    wanted = {int(number) * LINES + line for number in said for line in range(LINES)}
    lost = len(wanted - found)
    return at_most(
        PART, "acknowledged lines lost after kill -9", lost, "", 0, note=f"of {len(wanted)}"
    )


def answered(home: str) -> None:
    began = time.monotonic()
    store = Store(Path(home)).__enter__()
    seconds = time.monotonic() - began
    list(store.search(parse("timeout")))
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    sys.stdout.write(json.dumps({"seconds": seconds, "peak": peak}) + "\n")
    sys.stdout.flush()
