"""Bridges of an app: built around its migration, gone when the releases that need them are."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dayfly.clock import Stop
from dayfly.config.app import App, Database
from dayfly.events import Event
from dayfly.release.records import ReleaseRecord
from dayfly.release.work import Parts, Work, secret_of

if TYPE_CHECKING:
    from dayfly.database.bridge import Bridge

BUILT, GONE = "bridge.built", "bridge.gone"


@contextmanager
def built(work: Work, found: Mapping[str, Any]) -> Iterator[None]:
    """Around the migration: no insert of the outgoing release fails, also if the body does."""
    wanted = [finding["bridge"] for finding in found.get("findings", ()) if finding.get("bridge")]
    database = work.app.database
    if not wanted or database is None:
        yield
        return
    from dayfly.database.bridging import guard, keep  # noqa: PLC0415 - loads the driver

    url, bridges = work.migrate_url(database), _read(wanted)
    work.emit(BUILT, bridges=wanted)  # before it is done: what may be there goes in the end
    tell = _teller(work)
    guard(url, bridges, budget=database.budget, stop=work.stop, tell=tell)
    try:
        yield
    finally:
        keep(url, bridges, budget=database.budget, stop=Stop(), tell=tell)


def of(parts: Parts, app: str) -> list[Event]:
    """What was built and taken away, oldest first."""
    return parts.journal.told(app, BUILT, GONE)


def standing(events: Iterable[Event]) -> dict[int, list[Any]]:
    """By release the bridges that it has built and that are not gone."""
    found: dict[int, list[Any]] = {}
    for event in events:
        if event.kind == BUILT and event.release is not None:
            found[event.release] = list(event.data["bridges"])
        elif event.kind == GONE and event.release is not None:
            found.pop(event.release, None)
    return found


def removed(parts: Parts, record: ReleaseRecord, app: App, stop: Stop) -> None:
    """Take them away; LockedError where a lock is not to be had, then they are kept."""
    from dayfly.database.bridging import drop  # noqa: PLC0415 - loads the driver

    bridges = standing(of(parts, record.app)).get(record.number, [])
    if bridges:
        database = app.database or Database()
        drop(
            secret_of(parts, record.app, database.migrate_url or database.url),
            _read(bridges),
            budget=database.budget,
            stop=stop,
            tell=lambda _line: None,
        )
    parts.journal.record(GONE, release=record.number, app=record.app)


def rebuilt(work: Work) -> None:
    """For a release that comes back after the bridges to it were taken away."""
    database = work.app.database
    events = of(work.parts, work.record.app)
    there = standing(events)
    gone = {e.release: e.data["bridges"] for e in events if e.kind == BUILT and e.release}
    for number, bridges in gone.items():
        if number > work.record.number and number not in there and database is not None:
            from dayfly.database.bridging import keep  # noqa: PLC0415 - loads the driver

            record = work.parts.journal.record
            record(BUILT, release=number, app=work.record.app, bridges=bridges)
            keep(
                work.migrate_url(database),
                _read(bridges),
                budget=database.budget,
                stop=work.stop,
                tell=_teller(work),
            )


def _read(values: Iterable[Mapping[str, Any]]) -> "list[Bridge]":
    from dayfly.database.bridge import Bridge  # noqa: PLC0415 - loads the driver

    return [Bridge.from_json(value) for value in values]


def _teller(work: Work) -> Callable[[str], None]:
    return lambda message: work.emit("note", message=message)
