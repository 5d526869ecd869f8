"""The story from an empty production to a rollback, told in figures."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conference import repository, rows
from conference.production import Production
from conference.tally import Tally
from conference.visitors import Site, visited
from dayfly.database.scratch import scratch_server

QUIET_SECONDS = 6.0  # of load before the upgrade, and again after each cutover
FIRST, SECOND = repository.VERSIONS


def run(folder: Path, seed: int) -> dict[str, Any]:
    """Release pretalx, fill it, upgrade it and roll it back under load; what was found.

    Any user can pass through `folder`, which is there and empty. Nothing runs afterwards.
    """
    with scratch_server(folder / "postgresql", None) as server, server.database() as url:
        repository.make(folder / "checkout")
        production = Production.prepared(folder)
        try:
            production.dayfly("up")
            production.dayfly("secret", "set", "DATABASE_URL", typed=url)
            return {"seed": seed, **_released(production, url, seed)}
        finally:
            production.dayfly("down")


def _released(production: Production, url: str, seed: int) -> dict[str, Any]:
    timed = dict[str, float]()
    with _timing(timed, "first_release"):
        production.dayfly("release", FIRST)
    with _timing(timed, "fill"):
        talks = json.loads(production.dayfly("run", "--", "python", "fill.py").splitlines()[-1])
    columns = rows.columns_of(url)
    before = rows.rows_of(url, columns)
    versions = [production.version_serving()]
    with visited(Site(production.port, talks), seed) as tally:
        time.sleep(QUIET_SECONDS)
        with _timing(timed, "second_release"):
            production.dayfly("release", SECOND)
        time.sleep(QUIET_SECONDS)
        seen = [tally.newest_version]
        versions.append(production.version_serving())
        with _timing(timed, "rollback"):
            production.dayfly("rollback")
        time.sleep(QUIET_SECONDS)
        seen.append(tally.newest_version)
    versions.append(production.version_serving())
    return {
        "versions_serving": versions,
        "versions_seen": seen,
        "seconds": timed,
        "client": tally.figures(),
        "failures": tally.failures,
        "receipts": [_receipt(production, number) for number in (1, 2)],
        "serving": production.serving(),
        **_kept(production, url, tally, rows.missing(before, rows.rows_of(url, columns))),
    }


def _kept(
    production: Production, url: str, tally: Tally, lost: dict[str, list[str]]
) -> dict[str, Any]:
    """What has to be there still: old rows, acknowledged ones (once each), the uploaded file."""
    found = rows.feedback(url)
    media = production.home / "keep" / "pretalx" / "data" / "media"
    return {
        "rows_lost": lost,
        "feedback_rows": len(found),
        "feedback_missing": sorted(set(tally.written) - set(found)),
        "feedback_twice": sorted(text for text in set(found) if found.count(text) > 1),
        "uploads": [path.read_text() for path in media.rglob("slides*.txt")],
    }


def _receipt(production: Production, number: int) -> dict[str, Any]:
    told = production.told("receipt", str(number))
    names = ("release", "outcome", "verdict", "cutover_seconds", "traffic", "watch")
    stages = {stage["stage"]: stage["seconds"] for stage in told["stages"]}
    return {**{name: told.get(name) for name in names}, "stages": stages}


@contextmanager
def _timing(timed: dict[str, float], what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    timed[what] = round(time.monotonic() - began, 1)
