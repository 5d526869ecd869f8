"""The journal: intent before a step that changes the world, outcome after it, in SQLite.

It outlives the server, so a start can compare it with what is observed. What was written is in the
file when a call returns, also when the process is killed next; releases, machines and steps are
fsynced as well; what is only told, such as lines of output, goes along with the next of these.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from dayfly.client import WAITS
from dayfly.errors import DayflyError
from dayfly.events import Event
from dayfly.release.records import MachineRecord, Order, Outcome, ReleaseRecord

Subscriber = Callable[[Event], None]
READ_AT_ONCE = 500
TOLD = frozenset(  # events for people; a power cut may cost the last of them
    {"output", "stage.started", "stage.finished", "machine.launched", "machine.healthy", "traffic"}
)
# What comes again and again while a release serves. From anything else is read what is still to be
# done, however old it is: it is written a few times for each release, and stays.
PASSING = TOLD | {
    "note", "job.started", "job.finished", "job.failed",
    "machine.died", "machine.drifted", "machine.removed",
}  # fmt: skip
PASSING_STEPS = frozenset({"launch machine", "start job"})


class JournalError(DayflyError):
    """The journal could not be read or written."""


class Journal:
    """The ordered list of what happened. Safe to use from many threads."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._subscribers: list[Subscriber] = []
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        path.chmod(0o600)  # what apps said is in it; the write-ahead log takes its mode from it
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(files("dayfly.release").joinpath("schema.sql").read_text())

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber` for each event once it is written; returns what ends that."""
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    # -- events

    def record(
        self, kind: str, *, release: int | None = None, app: str | None = None, **data: object
    ) -> Event:
        with self._writing(durable=kind not in TOLD):
            event = self._write(kind, release, app, data)
        self._tell(event)
        return event

    @contextmanager
    def step(self, step: str, *, release: int, app: str, **data: object) -> Iterator[None]:
        """Write what is about to be done, and what came of it."""
        self.record("step.intended", release=release, app=app, step=step, **data)
        try:
            yield
        except BaseException as error:
            self.record(
                "step.done", release=release, app=app, step=step, outcome="failed", why=str(error)
            )
            raise
        self.record("step.done", release=release, app=app, step=step, outcome="done")

    def events(
        self, *, after: int = 0, release: int | None = None, limit: int = READ_AT_ONCE
    ) -> list[Event]:
        rows = self._rows(
            "SELECT * FROM event WHERE number > ? AND (? IS NULL OR release = ?)"
            " ORDER BY number LIMIT ?",
            (after, release, release, limit),
        )
        return [_event_of(row) for row in rows]

    def told(self, app: str, *kinds: str) -> list[Event]:
        """All events of an app of these kinds."""
        rows = self._rows(
            "SELECT * FROM event WHERE app = ? AND kind IN (SELECT value FROM json_each(?))"
            " ORDER BY number",
            (app, json.dumps(kinds)),
        )
        return [_event_of(row) for row in rows]

    def unended(self, what: str) -> list[Event]:
        """The first event of each rollback (or contract) that has no last one."""
        rows = self._rows(
            "SELECT number, release FROM event AS began WHERE kind = ? || '.started'"
            " AND NOT EXISTS (SELECT 1 FROM event WHERE kind = ? || '.finished'"
            " AND app = began.app AND number > began.number)",
            (what, what),
        )
        return [self.events(after=r["number"] - 1, release=r["release"], limit=1)[0] for r in rows]

    def last_event(self) -> int:
        row = self._rows("SELECT max(number) AS last FROM event", ())[0]
        return int(row["last"] or 0)

    def forget_passing(self, before: float) -> None:
        """Drop what is older and nothing is decided by; all of a release under way stays."""
        with self._writing():
            self._db.execute(
                "DELETE FROM event WHERE time < ? AND (release IS NULL"
                " OR kind IN (SELECT value FROM json_each(?))"
                " OR json_extract(data, '$.step') IN (SELECT value FROM json_each(?)))"
                " AND NOT EXISTS (SELECT 1 FROM release WHERE number = event.release"
                " AND outcome IN ('running', 'waiting'))",
                (before, json.dumps([*PASSING]), json.dumps([*PASSING_STEPS])),
            )

    # -- releases

    def open_release(self, order: Order) -> ReleaseRecord:
        now = time.time()
        with self._writing():
            number = self._db.execute(
                "INSERT INTO release (app, commit_id, subject, who, outcome, started)"
                " VALUES (?, ?, ?, ?, 'running', ?)",
                (order.app, order.commit, order.subject, order.who, now),
            ).lastrowid
        return self.release(number or 0)

    def release(self, number: int) -> ReleaseRecord:
        found = self._rows("SELECT * FROM release WHERE number = ?", (number,))
        if not found:
            raise LookupError(f"no release {number}")
        return _release_of(found[0])

    def releases(self, app: str | None = None, limit: int = 1000) -> list[ReleaseRecord]:
        """Newest first."""
        rows = self._rows(
            "SELECT * FROM release WHERE ? IS NULL OR app = ? ORDER BY number DESC LIMIT ?",
            (app, app, limit),
        )
        return [_release_of(row) for row in rows]

    def unfinished(self) -> list[ReleaseRecord]:
        rows = self._rows("SELECT * FROM release WHERE outcome = 'running' ORDER BY number", ())
        return [_release_of(row) for row in rows]

    def conclude(self, number: int, outcome: Outcome, reason: str = "") -> None:
        """A release that ran is over, or waits; the event `release.finished` tells so."""
        kind = WAITS if outcome == "waiting" else "release.finished"
        with self._writing():  # both or none, or whoever follows would wait for ever
            self._set(number, outcome=outcome, reason=reason, finished=time.time())
            told = {"outcome": outcome, "reason": reason.partition("\n")[0]}
            event = self._write(kind, number, self.release(number).app, told)
        self._tell(event)

    def go_on(self, number: int) -> None:
        """A release that waited runs again."""
        self._amend(number, outcome="running", reason="", finished=None)

    def turn(self, number: int, outcome: Outcome) -> None:
        """A finished release changes its place: serving again, or retired."""
        self._amend(number, outcome=outcome, warm_until=None)

    def leave(self, number: int, outcome: Outcome, *, warm: float) -> None:
        """The traffic went elsewhere; the fleet stays warm for so many seconds."""
        now = time.time()
        self._amend(number, outcome=outcome, left_at=now, warm_until=now + warm)

    def keep_image(self, number: int, key: str) -> None:
        self._amend(number, image=key)

    def keep_receipt(self, number: int, receipt: dict[str, Any]) -> None:
        self._amend(number, receipt=json.dumps(receipt))

    # -- machines

    def name_machine(self, release: ReleaseRecord, process: str, kind: str) -> str:
        """The name of one more machine of a release, never given before."""
        with self._writing():
            place = self._db.execute(
                "SELECT coalesce(max(place), 0) + 1 FROM machine WHERE release = ? AND process = ?",
                (release.number, process),
            ).fetchone()[0]
            name = f"{release.app}-{release.number}-{process}-{place}"
            self._db.execute(
                "INSERT INTO machine (name, app, release, process, place, kind, launched)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (name, release.app, release.number, process, place, kind, time.time()),
            )
        return name

    def machine_gone(self, name: str, *, status: int | None = None, reason: str = "") -> None:
        with self._writing():
            self._db.execute(
                "UPDATE machine SET removed = ?, status = ?, reason = ?"
                " WHERE name = ? AND removed IS NULL",
                (time.time(), status, reason, name),
            )

    def machines(
        self, *, release: int | None = None, app: str | None = None
    ) -> list[MachineRecord]:
        rows = self._rows(
            "SELECT * FROM machine WHERE (? IS NULL OR release = ?) AND (? IS NULL OR app = ?)"
            " ORDER BY launched DESC, name",
            (release, release, app, app),
        )
        return [
            MachineRecord(**{key: row[key] for key in row.keys() if key != "place"})  # noqa: SIM118
            for row in rows
        ]

    # -- scheduled jobs

    def take_tick(self, app: str, job: str, due: float) -> bool:
        """Claim a scheduled moment; False when it was claimed before, so each fires once."""
        with self._writing():
            done = self._db.execute("INSERT OR IGNORE INTO tick VALUES (?, ?, ?)", (app, job, due))
            return done.rowcount == 1

    def last_tick(self, app: str, job: str) -> float | None:
        rows = self._rows("SELECT max(due) AS due FROM tick WHERE app = ? AND job = ?", (app, job))
        return rows[0]["due"] if rows else None

    def _write(
        self, kind: str, release: int | None, app: str | None, data: dict[str, Any]
    ) -> Event:
        """One more event, inside of `_writing`."""
        now = time.time()
        number = self._db.execute(
            "INSERT INTO event (time, release, app, kind, data) VALUES (?, ?, ?, ?, ?)",
            (now, release, app, kind, json.dumps(data)),
        ).lastrowid
        return Event(number=number or 0, time=now, release=release, app=app, kind=kind, data=data)

    def _tell(self, event: Event) -> None:
        for subscriber in tuple(self._subscribers):
            subscriber(event)

    def _amend(self, number: int, **columns: object) -> None:
        with self._writing():
            self._set(number, **columns)

    def _set(self, number: int, **columns: object) -> None:
        settings = ", ".join(f"{column} = ?" for column in columns)
        self._db.execute(
            f"UPDATE release SET {settings} WHERE number = ?",  # noqa: S608 - our own names
            (*columns.values(), number),
        )

    def _rows(self, query: str, values: tuple[object, ...]) -> list[sqlite3.Row]:
        with self._lock, _translated():
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def _writing(self, *, durable: bool = True) -> Iterator[None]:
        with self._lock, _translated():
            self._db.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        hint = "Is there space in DAYFLY_HOME, and may the server write there?"
        raise JournalError(f"the journal: {error}", hint=hint) from error


def _event_of(row: sqlite3.Row) -> Event:
    return Event(**{**dict(row), "data": json.loads(row["data"])})


def _release_of(row: sqlite3.Row) -> ReleaseRecord:
    columns = dict(row)
    columns["commit"] = columns.pop("commit_id")
    columns["receipt"] = json.loads(columns["receipt"])
    return ReleaseRecord(**columns)
