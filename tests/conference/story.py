"""The story from an empty production to a rollback, told in figures."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conference import repository, rows
from conference.tally import Tally
from conference.team import Team
from conference.visitors import Site, visited
from dayfly.database.scratch import scratch_server
from production.environment import Production, running

QUIET_SECONDS = 6.0  # of load before the upgrade, and again after each cutover
FIRST, SECOND = repository.VERSIONS


def run(folder: Path, seed: int) -> dict[str, Any]:
    """Release pretalx, fill it, upgrade it and roll it back under load; what was found.

    `folder` is there and empty. Afterwards nothing runs, and no environment is left.
    """
    repository.make(folder / "checkout")
    with (
        running(folder) as production,  # first, since it lets other users into the folder
        scratch_server(folder / "postgresql", None) as server,
        server.database() as url,
    ):
        team = Team(production, folder / "checkout")
        team.types("secret", "set", "DATABASE_URL", answer=url)
        found = _released(team, url, seed)
        team.types("down")
        left = _left_running(production)
        team.types("destroy", "test")  # images are large, and read-only
        return {"seed": seed, **found, "left_running": left}


def _left_running(production: Production) -> int:
    services = (production.supervisors, production.servers, production.keepers)
    left = [pid for service in services for pid in service()]
    return len([*left, *production.haproxies(), *production.processes_of()])


def _released(team: Team, url: str, seed: int) -> dict[str, Any]:
    timed = dict[str, float]()
    with _timing(timed, "first_release"):
        team.types("release", FIRST)
    with _timing(timed, "fill"):
        talks = json.loads(team.types("run", "--", "python", "fill.py").splitlines()[-1])
    columns = rows.columns_of(url)
    before = rows.rows_of(url, columns)
    versions = [team.version_serving()]
    with visited(Site(team.production.http, talks), seed) as tally:
        time.sleep(QUIET_SECONDS)
        with _timing(timed, "second_release"):
            team.types("release", SECOND)
        time.sleep(QUIET_SECONDS)
        seen = [tally.newest_version]
        versions.append(team.version_serving())
        with _timing(timed, "rollback"):
            team.types("rollback")
        time.sleep(QUIET_SECONDS)
        seen.append(tally.newest_version)
    versions.append(team.version_serving())
    return {
        "versions_serving": versions,
        "versions_seen": seen,
        "seconds": timed,
        "client": tally.figures(),
        "failures": tally.failures,
        "receipts": [_receipt(team, number) for number in (1, 2)],
        "serving": team.release_serving(),
        **_kept(team, url, tally, rows.missing(before, rows.rows_of(url, columns))),
    }


def _kept(team: Team, url: str, tally: Tally, lost: dict[str, list[str]]) -> dict[str, Any]:
    """What has to be there still: old rows, acknowledged ones (once each), the uploaded file."""
    found = rows.feedback(url)
    media = team.production.home.keep("pretalx", "data") / "media"
    return {
        "rows_lost": lost,
        "feedback_rows": len(found),
        "feedback_missing": sorted(set(tally.written) - set(found)),
        "feedback_twice": sorted(text for text in set(found) if found.count(text) > 1),
        "uploads": [path.read_text() for path in media.rglob("slides*.txt")],
    }


def _receipt(team: Team, number: int) -> dict[str, Any]:
    told = team.reads("receipt", str(number))
    names = ("release", "outcome", "verdict", "cutover_seconds", "traffic", "watch")
    stages = {stage["stage"]: stage["seconds"] for stage in told["stages"]}
    return {**{name: told.get(name) for name in names}, "stages": stages}


@contextmanager
def _timing(timed: dict[str, float], what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    timed[what] = round(time.monotonic() - began, 1)
