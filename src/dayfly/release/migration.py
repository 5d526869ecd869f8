"""The migration of production, while the outgoing fleet serves: nobody waits for it for long."""

import re
from collections.abc import Mapping
from typing import Any

from dayfly.config.app import Database
from dayfly.images.image import Image
from dayfly.release import bridges, fleet, once, preserving
from dayfly.release.wayback import MIGRATE
from dayfly.release.work import ReleaseError, Work

# What drivers and tools say when the server ended a wait for a lock, or the session itself.
_LOCKED = re.compile(
    r"lock timeout|LockNotAvailable|55P03|terminating connection|server closed the connection|57P01"
)


def migrate(work: Work, image: Image, found: Mapping[str, Any]) -> None:
    """The SQL files, or the command in the incoming image; `found` is what it was found to do."""
    database = work.app.database
    if database is None:
        return
    if database.migrations is not None:
        with (
            preserving.around(work, found),
            work.stage(MIGRATE),
            work.step(MIGRATE, directory=database.migrations),
            bridges.built(work, found),
        ):
            _files(work, database)
    elif database.migrate is not None:
        with (
            preserving.around(work, found),
            work.stage(MIGRATE),
            work.step(MIGRATE, command=database.migrate),
            bridges.built(work, found),
        ):
            _command(work, image, database)


def _files(work: Work, database: Database) -> None:
    from dayfly.database.patience import apply_patiently  # noqa: PLC0415 - loads the driver

    done = apply_patiently(
        work.migrate_url(database),
        work.migrations,
        budget=database.budget,
        deadline=database.deadline,
        stop=work.stop,
        tell=lambda message: work.emit("note", message=message),
    )
    show = work.lines_of(MIGRATE)
    for name in done:
        show(f"ran {name}")


def _command(work: Work, image: Image, database: Database) -> None:
    """Again and again while it meets locks; ReleaseError says what state the schema is in."""
    from dayfly.database.patience import ATTEMPTS, PAUSE_SECONDS  # noqa: PLC0415 - see above
    from dayfly.database.watchdog import limit_locks, own_role, watched  # noqa: PLC0415 - see above

    url = work.migrate_url(database)
    role = own_role(url, work.database_url(database))
    if role:
        limit_locks(url, role, database.budget)
    before = _written_down(url)
    name = f"dayfly migrate {work.record.number}"
    for attempt in range(1, ATTEMPTS + 1):
        with watched(url, name=name, role=role, budget=database.budget) as watch:
            ended = _attempt(work, image, database, url=url, name=name)
        if ended.status == 0:
            return
        met_lock = bool(watch.ended) or bool(_LOCKED.search(ended.said))
        if not met_lock or attempt == ATTEMPTS:
            raise ReleaseError(
                f"{MIGRATE}: `{database.migrate}` ended with exit status {ended.status}",
                hint=f"{_state(before, _written_down(url))}\n{ended.said}",
            )
        others = "others waited for it" if watch.ended else "a lock was not to be had in time"
        told = f"{others}, attempt {attempt} of {ATTEMPTS}: others go first"
        work.emit("note", message=f"{MIGRATE}: {told}")
        work.stop.wait(PAUSE_SECONDS)


def _attempt(work: Work, image: Image, database: Database, *, url: str, name: str) -> once.Ended:
    """Its sessions bear a name and a limit for locks, where the driver is libpq or asks it."""
    limit = f"-c lock_timeout={database.budget * 1000:.0f}"
    options = f"{work.app.env.get('PGOPTIONS', '')} {limit}".strip()
    made = once.machine_for(
        work,
        image,
        fleet.Wanted(process=MIGRATE, run=database.migrate or ""),
        secrets={database.url: url},
        env={"PGOPTIONS": options, "PGAPPNAME": name},
    )
    return once.run_to_end(work, made, seconds=database.deadline)


def _written_down(url: str) -> tuple[str, ...]:
    from dayfly.database.production import recorded  # noqa: PLC0415 - see above

    return recorded(url)


def _state(before: tuple[str, ...], after: tuple[str, ...]) -> str:
    new = [name for name in after if name not in before]
    if not new:
        return "No migration was written down as done: the schema is most likely as it was."
    many = "1 migration stays" if len(new) == 1 else f"{len(new)} migrations stay"
    return f"It stops half-way: {many} done ({', '.join(new)})."
