"""The server killed at every write of the journal.

In a release, in one whose worker ends after the cutover, so that it goes back, and in a rollback.
Then a batch of a minute across a cutover and a rollback.
"""

import json
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dayfly.clock import wait_until
from dayfly.durable import write_atomically
from production import Production, Project, batches, project, running
from production.crashes import Point, commits_of, count_points, points, sample, survive

LONGEST = 60.0  # seconds that one crash may take; with less left none is begun
BATCH_LINES = 120  # a minute
BATCH_SECONDS = 90.0
AT_ONCE = 40  # crashes in one environment


@dataclass(frozen=True)
class Progress:
    """What is done, on disk after each crash."""

    path: Path

    def read(self) -> dict[str, Any]:
        if self.path.exists():
            return dict(json.loads(self.path.read_text()))
        return {"counts": None, "batch": None, "survived": [], "broken": []}

    def add(self, **more: Any) -> None:  # noqa: ANN401 - JSON
        write_atomically(self.path, json.dumps({**self.read(), **more}))

    def missing(self, seed: int) -> list[Point]:
        """In an order that the seed decides, so that a short budget takes a fair sample."""
        known = self.read()
        done = {Point(**each["point"]) for each in [*known["survived"], *known["broken"]]}
        every = points({what: tuple(counts) for what, counts in known["counts"].items()})
        chosen = sample(every, seed, len(every))
        return [point for point in chosen if point not in done]


def run(folder: Path, seed: int, budget: float) -> dict[str, Any]:
    """All points that the budget (seconds) has room for; the rest when it is called again."""
    ends = time.monotonic() + budget
    progress = Progress(folder / "progress.json")
    if not progress.read()["batch"]:
        with stage(folder) as (prod, app, commits):
            progress.add(counts=count_points(prod, app, commits))
            progress.add(batch=batch(prod, app))
    while progress.missing(seed) and ends - time.monotonic() > LONGEST:
        with stage(folder) as (prod, app, commits):
            for point in progress.missing(seed)[:AT_ONCE]:
                if ends - time.monotonic() < LONGEST:
                    break
                if not _take(progress, prod, app, commits, point):
                    break  # what is broken is not built upon
    return _evidence(progress.read())


@contextmanager
def stage(folder: Path) -> Iterator[tuple[Production, Project, dict[str, str]]]:
    """An environment in which one release serves."""
    place = folder / f"{time.time():.0f}"
    place.mkdir()
    with running(place) as prod:
        app = project(place / "kinds")
        commits = commits_of(app)
        prod.released(app, commits["release"])
        yield prod, app, commits


def batch(prod: Production, app: Project) -> dict[str, Any]:
    """A minute's batch across a cutover and a rollback: how it ended, and whether it is whole."""
    commit = batches.commit(app, BATCH_LINES)
    prod.released(app, commit)
    batches.start_batch(prod, app)
    prod.released(app, commit)
    prod.typed("rollback", "--app", app.app)
    wait_until(
        lambda: batches.runs(prod, app, "batch"), seconds=BATCH_SECONDS, what="the batch's end"
    )
    [written] = batches.batches(prod, app).values()
    [(_, status)] = batches.runs(prod, app, "batch")
    return {"lines": len(written), "wanted": BATCH_LINES, "status": status}


def _take(
    progress: Progress, prod: Production, app: Project, commits: dict[str, str], point: Point
) -> bool:
    began = time.monotonic()
    known = progress.read()
    try:
        survived = asdict(survive(prod, app, commits, point))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        where = traceback.extract_tb(error.__traceback__)[-1]
        why = f"{type(error).__name__} in {where.name}, {where.line}: {error}"
        broken = {"point": asdict(point), "why": why}
        progress.add(broken=[*known["broken"], broken])
        return False
    seconds = round(time.monotonic() - began, 1)
    progress.add(survived=[*known["survived"], {**survived, "seconds": seconds}])
    return True


def _evidence(known: dict[str, Any]) -> dict[str, Any]:
    survived, broken = known["survived"], known["broken"]
    every = points({what: tuple(counts) for what, counts in known["counts"].items()})
    whole = known["batch"]["lines"] == known["batch"]["wanted"] and known["batch"]["status"] == 0
    return {
        "held": not broken and whole and len(survived) == len(every),
        "figures": {
            "points": len(every),
            "tried": len(survived) + len(broken),
            "broken": len(broken),
            "died": sum(each["died"] for each in survived),
            "completed": sum(each["completed"] for each in survived),
            "undone": sum(not each["completed"] for each in survived),
            "requests": sum(each["requests"] for each in survived),
            "lost": sum(each["lost"] for each in survived),
            "batch": known["batch"],
            "writes": known["counts"],
        },
        "broken": broken,
        "survived": survived,
    }
