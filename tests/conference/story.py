"""The story from an empty production to a rollback and forward again, told in figures."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conference import repository, rows
from conference.organisers import ORGANISERS, signed_in
from conference.site import Site
from conference.tally import Tally
from conference.team import Team
from conference.visitors import visited
from dayfly.clock import wait_until
from dayfly.database.scratch import scratch_server
from production.environment import Production, running

QUIET_SECONDS = 4.0  # of load before the upgrade, and again after each cutover
RETIRED_SECONDS = 120.0  # until a fleet that is warm for 30 s is certainly gone
FIRST, SECOND = repository.VERSIONS
_CHANGES = {"django_session"}  # with each page that an organiser sees


@dataclass(frozen=True)
class Watched:
    """Production and those who use it, looked at from outside."""

    team: Team
    url: str  # of the database
    tally: Tally
    moments: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def look(self, when: str) -> None:
        """After a while of load; `options` counts those acknowledged since the last look."""
        time.sleep(QUIET_SECONDS)
        before = sum(moment["options"] for moment in self.moments)
        self.moments.append(
            {
                "when": when,
                "fleets": self.team.fleets(),
                "version_serving": self.team.version_serving(),
                "version_seen": self.tally.newest_version,
                "default": rows.default_of_position(self.url),
                "of_dayfly": rows.left_by_dayfly(self.url),
                "options": len(self.tally.options) - before,
            }
        )


def run(folder: Path, seed: int) -> dict[str, Any]:
    """Release pretalx, fill it, upgrade it, go back and forward under load; what was found.

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
    port = team.production.http
    site = Site(port, talks, [signed_in(port) for _ in range(ORGANISERS)])
    columns = {name: of for name, of in rows.columns_of(url).items() if name not in _CHANGES}
    before = rows.rows_of(url, columns)
    with visited(site, seed) as tally:
        watched = Watched(team, url, tally, seconds=timed)
        _upgraded(watched)
    return {
        "seconds": timed,
        "moments": watched.moments,
        "client": tally.figures(),
        "failures": tally.failures,
        "receipts": [_receipt(team, number) for number in (1, 2)],
        "rows_lost": rows.missing(before, rows.rows_of(url, columns)),
        "options_before_the_cutover": _by_the_outgoing(team, url),
        **_kept(team, url, tally),
    }


def _upgraded(watched: Watched) -> None:
    """There, back, there again, until nothing of the outgoing fleet is left."""
    team, url = watched.team, watched.url
    watched.look("before")
    with _timing(watched.seconds, "second_release"):
        team.types("release", SECOND)
    watched.look("released")
    with _timing(watched.seconds, "rollback"):
        team.types("rollback")
    watched.look("rolled back")
    with _timing(watched.seconds, "forward"):
        team.types("rollback", "--to", "2")
    watched.look("forward again")
    with _timing(watched.seconds, "retired"):
        wait_until(
            lambda: not rows.left_by_dayfly(url),
            seconds=RETIRED_SECONDS,
            what="the end of the bridge",
        )
    watched.look("retired")


def _by_the_outgoing(team: Team, url: str) -> int:
    """Options that were inserted when the schema was migrated and the traffic had not moved."""
    events = team.production.events(2)
    (migrated,) = (
        event.time
        for event in events
        if event.kind == "stage.finished" and event.data["stage"] == "migrate"
    )
    moved = next(event.time for event in events if event.kind == "cutover")
    return rows.options_created(url, migrated, moved)


def _kept(team: Team, url: str, tally: Tally) -> dict[str, Any]:
    """What has to be there still: acknowledged rows, once each, and the uploaded file."""
    media = team.production.home.keep("pretalx", "data") / "media"
    return {
        **_found_again("feedback", tally.written, rows.feedback(url)),
        **_found_again("options", tally.options, rows.options(url)),
        "uploads": [path.read_text() for path in media.rglob("slides*.txt")],
    }


def _found_again(what: str, written: list[str], found: list[str]) -> dict[str, Any]:
    return {
        f"{what}_rows": len(found),
        f"{what}_missing": sorted(set(written) - set(found)),
        f"{what}_twice": sorted(text for text in set(found) if found.count(text) > 1),
    }


def _receipt(team: Team, number: int) -> dict[str, Any]:
    told = team.reads("receipt", str(number))
    names = ("release", "outcome", "verdict", "cutover_seconds", "traffic", "watch")
    stages = {stage["stage"]: stage["seconds"] for stage in told["stages"]}
    back = told["impact"].get("rollback")
    found = {**{name: told.get(name) for name in names}, "way_back": back, "stages": stages}
    return {**found, "findings": [one["message"] for one in told["impact"].get("findings", ())]}


@contextmanager
def _timing(timed: dict[str, float], what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    timed[what] = round(time.monotonic() - began, 1)
