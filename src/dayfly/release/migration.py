"""The migration of production: nobody waits for it for longer than was said."""

import math
import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from dayfly.config.app import Database
from dayfly.database.pace import PAUSE_SECONDS, Pace
from dayfly.errors import DayflyError, StoppedError
from dayfly.images.image import Image
from dayfly.release import bridges, contracts, fleet, inquiry, once, preserving, rehearsal, sessions
from dayfly.release.course import HELD, WINDOW
from dayfly.release.holding import held
from dayfly.release.wayback import MIGRATE
from dayfly.release.work import RefusedError, ReleaseError, Work

STARTING = "the start of one machine"
# What drivers and tools say when the server ended a wait for a lock, or the session itself.
_LOCKED = re.compile(
    r"lock timeout|LockNotAvailable|55P03|terminating connection|server closed the connection|57P01"
)


def migrate(work: Work, image: Image, found: Mapping[str, Any]) -> None:
    """The SQL files, or the command in the incoming image; `found` is what it was found to do.

    What `found` names in `contract` is left out: it waits until nothing older runs.
    """
    database = work.app.database
    if database is None or not database.migrates:
        return
    what = database.migrations or database.migrate or STARTING
    if left := found.get("contract"):
        work.emit(contracts.WAITING, migrations=left)
    with (
        preserving.around(work, found),
        work.stage(MIGRATE),
        work.step(MIGRATE, what=what),
        bridges.built(work, found),
    ):
        if found.get("course") == HELD:
            _while_held(work, image, database, found)
        else:
            _run(work, image, found, _pace(database, found))


@contextmanager
def stays(work: Work, found: Mapping[str, Any]) -> Iterator[None]:
    """What fails after the migration leaves the migrated schema there; its verdict allows it."""
    try:
        yield
    except BaseException:
        if found.get("pending") != [] and found.get("findings"):
            work.emit("note", message="the schema stays migrated; the outgoing release works on it")
        raise


def _pace(database: Database, found: Mapping[str, Any]) -> Pace:
    """With downtime nobody else is there who must not wait."""
    downtime = found.get("course") == WINDOW
    others = math.inf if downtime else database.budget
    return Pace(lock=database.budget, others=others, deadline=database.deadline)


def _while_held(work: Work, image: Image, database: Database, found: Mapping[str, Any]) -> None:
    """Once, within the hold: what is not done then is ended, and nothing of it stays."""
    with held(work, database.hold) as until:
        rest = max(until - time.monotonic(), 0.1)
        try:
            _run(work, image, found, Pace(lock=rest, others=rest, deadline=rest, attempts=1))
        except StoppedError:
            raise
        except DayflyError as error:
            if time.monotonic() < until - 0.1:
                raise
            raise RefusedError(
                f"{MIGRATE}: not done within the {database.hold:g} s for which requests are held; "
                "it was ended",
                hint=f"{error.hint}\nWith downtime: dayfly release --window WHEN, or --now.",
            ) from error


def _run(work: Work, image: Image, found: Mapping[str, Any], pace: Pace) -> None:
    database = work.app.database or Database()
    if database.migrations:
        _files(work, database, pace, found.get("contract", ()))
    else:
        _command(work, image, pace, found.get("targets", [""]))


def _files(work: Work, database: Database, pace: Pace, leave: Collection[str]) -> None:
    from dayfly.database.patience import apply_patiently  # noqa: PLC0415 - loads the driver

    with (
        sessions.stopped(work),
        sessions.watched(
            work, role="", others=pace.others, seconds=pace.deadline, stop=work.stop
        ) as watch,
    ):
        done = apply_patiently(
            work.migrate_url(database),
            work.migrations,
            pace,
            leave=leave,
            name=sessions.name_of(work.record),
            stop=work.stop,
            tell=lambda message: work.emit("note", message=message),
            outwaited=lambda: watch.for_others,
        )
        watch.done = True
    show = work.lines_of(MIGRATE)
    for file in done:
        show(f"ran {file}")


def _command(work: Work, image: Image, pace: Pace, targets: Sequence[str]) -> None:
    """Again and again while it meets locks; ReleaseError says what state the schema is in."""
    from dayfly.database.watchdog import own_role  # noqa: PLC0415 - loads the driver

    database = work.app.database or Database()
    url = work.migrate_url(database)
    role, before = own_role(url, work.database_url(database)), _written_down(url)
    with sessions.limited(work, role, pace.lock):
        for attempt in range(1, pace.attempts + 1):
            ended, outwaited = _attempt(work, image, pace, targets, role)
            if ended.status == 0:
                return
            met_lock = outwaited or bool(_LOCKED.search(ended.said))
            if not met_lock or attempt == pace.attempts:
                raise ReleaseError(
                    f"{MIGRATE}: {_told(database, ended)}",
                    hint=f"{_state(before, _written_down(url))}\n{ended.said}",
                )
            others = "others waited for it" if outwaited else "a lock was not to be had in time"
            told = f"{others}, attempt {attempt} of {pace.attempts}: others go first"
            work.emit("note", message=f"{MIGRATE}: {told}")
            work.stop.wait(PAUSE_SECONDS)


def _told(database: Database, ended: once.Ended) -> str:
    if database.at_start:
        return f"{STARTING} failed"
    return f"`{database.migrate}` ended with exit status {ended.status}"


def _attempt(
    work: Work, image: Image, pace: Pace, targets: Sequence[str], role: str
) -> tuple[once.Ended, bool]:
    """How it ended, and whether others had waited for it for too long."""
    with sessions.watched(work, role=role, others=pace.others, seconds=pace.deadline) as watch:
        ended = _for_each(work, image, pace, targets)
        watch.done = ended.status == 0
    return ended, watch.for_others


def _for_each(work: Work, image: Image, pace: Pace, targets: Sequence[str]) -> once.Ended:
    """Once for each target, until it fails."""
    ended = once.Ended(0, "")
    for target in targets:
        if ended.status == 0:
            ended = _once(work, image, pace, target)
    return ended


def _once(work: Work, image: Image, pace: Pace, target: str) -> once.Ended:
    """Its sessions bear a name and a limit for locks, where the driver is libpq or Flyway runs."""
    from dayfly.database.jdbc import for_flyway  # noqa: PLC0415 - loads the driver

    database = work.app.database or Database()
    limit = f"-c lock_timeout={pace.lock * 1000:.0f}"
    options = f"{work.app.env.get('PGOPTIONS', '')} {limit}".strip()
    url, name = work.migrate_url(database), sessions.name_of(work.record)
    wanted = fleet.Wanted(process=MIGRATE, run=database.migrate or "")
    if database.at_start:
        wanted = replace(fleet.process_wanted(work.app, fleet.WEB), process=MIGRATE)
    made = once.machine_for(
        work,
        image,
        wanted,
        secrets={**for_flyway(url, name=name, options=options), database.url: url},
        env={"PGOPTIONS": options, "PGAPPNAME": name, **inquiry.targeted(target)},
    )
    if database.at_start:
        return rehearsal.started(work, made)
    return once.run_to_end(work, made, seconds=pace.deadline)


def _written_down(url: str) -> tuple[str, ...]:
    from dayfly.database.production import recorded  # noqa: PLC0415 - see above

    return recorded(url)


def _state(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    new = [name for name in after if name not in before]
    if not new:
        return "No migration was written down as done: the schema is most likely as it was."
    many = "1 migration stays" if len(new) == 1 else f"{len(new)} migrations stay"
    return f"It stops half-way: {many} done ({', '.join(new)})."
