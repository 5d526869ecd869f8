"""Runs releases and rollbacks: one at a time for an app, each in a thread of its own."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from dayfly.clock import DeadlineError, Stop, wait_until
from dayfly.config.problem import SettingsError
from dayfly.config.secrets import SecretError
from dayfly.errors import DayflyError, StoppedError
from dayfly.events import Event
from dayfly.images.git import SourceError
from dayfly.machines.capacity import TooSmallError
from dayfly.release import bookkeeping, pipeline, rollback
from dayfly.release.fleet import require_web
from dayfly.release.journal import JournalError
from dayfly.release.records import Order, Outcome, ReleaseRecord
from dayfly.release.traffic import telling_traffic
from dayfly.release.watch import BreachError
from dayfly.release.work import Parts, RefusedError, ReleaseError, Work

# What is wrong before anything was launched, and would be wrong again.
REFUSALS = (SettingsError, SecretError, SourceError, TooSmallError, RefusedError)
STOP_SECONDS = 120.0
RETRY_SECONDS = 2.0  # between two attempts to write to a full disk

log = logging.getLogger(__name__)


class BusyError(DayflyError):
    """Another release or rollback of the app is under way."""


@dataclass(frozen=True)
class Operation:
    """A release or a rollback under way, or waiting for its turn."""

    what: str  # "release 3", "the rollback to release 1"
    record: ReleaseRecord
    despite: str = ""
    question: bool = False
    outgoing: set[int] = field(default_factory=set)  # what served when its turn came
    stop: Stop = field(default_factory=Stop)
    over: threading.Event = field(default_factory=threading.Event)


class Engine:
    """Takes orders; the journal tells what became of them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._lines: dict[str, list[Operation]] = {}  # by app; the first one is under way

    def busy(self) -> frozenset[int]:
        """Releases that an operation has in hand: nobody else touches their machines."""
        with self._lock:
            return self._in_hand()

    def queued(self) -> frozenset[int]:
        """Releases that wait for the one under way."""
        with self._lock:
            return frozenset(o.record.number for line in self._lines.values() for o in line[1:])

    def outgoing(self) -> frozenset[int]:
        """Releases whose fleets an operation may go back to, or drains: they don't retire."""
        with self._lock:
            return self._outgoing()

    @contextmanager
    def idle(self, number: int) -> Iterator[bool]:
        """Whether no operation needs this release; none takes it until the body ends."""
        with self._lock:
            yield number not in self._in_hand() | self._outgoing()

    def _in_hand(self) -> frozenset[int]:
        lines = self._lines.values()
        return frozenset(operation.record.number for line in lines for operation in line)

    def _outgoing(self) -> frozenset[int]:
        lines = self._lines.values()
        return frozenset(n for line in lines for operation in line for n in operation.outgoing)

    def release(self, order: Order, *, queue: bool = False) -> int:
        """Start a release, or let it wait for the one under way; returns its number."""
        with self._lock:
            line = self._lines.setdefault(order.app, [])
            if line and not queue:
                raise BusyError(
                    f"{line[0].what} of {order.app} is under way",
                    hint="`--queue` waits for it; `dayfly release --follow` shows it",
                )
            record = self._parts.journal.open_release(order)
            operation = Operation(f"release {record.number}", record, order.despite, order.question)
            line.append(operation)
        self._start(operation, self._release)
        return record.number

    def roll_back(self, app: str, to: int | None, who: str, *, accept_loss: str = "") -> int:
        """Stop what is under way, then go back; returns the release gone back to.

        `accept_loss`: why what the database would lose by it is given up.
        """
        stopped = self._stop_for_rollback(app, who)
        serving = self._parts.serving(app)
        too_late = stopped is not None and stopped.record.number == serving
        if stopped and serving is not None and not too_late and to in {None, serving}:
            self._tell_stopped(app, serving, who, stopped.what)
            return serving
        with self._lock:
            line = self._lines.setdefault(app, [])
            if line:
                raise BusyError(f"{line[0].what} of {app} is under way")
            target = rollback.target_of(
                self._parts.journal.releases(app), self._parts.serving(app), to
            )
            operation = Operation(f"the rollback to release {target.number}", target, accept_loss)
            # Before the answer: who follows waits for its end.
            began = self._tell_begun(target, who)
            line.append(operation)
        self._start(operation, lambda o: self._roll_back(o, began.number))
        return target.number

    def stop(self, number: int, why: str) -> None:
        """Ask a release to stop; it undoes what it did. ReleaseError when it isn't under way."""
        with self._lock:
            found = [o for line in self._lines.values() for o in line if o.record.number == number]
        if not found:
            raise ReleaseError(f"release {number} is not under way")
        found[0].stop.request(why)

    def close(self) -> None:
        """The server ends: what is under way is undone first."""
        with self._lock:
            everything = [operation for line in self._lines.values() for operation in line]
        for operation in everything:
            operation.stop.request("the server is going down")
        for operation in everything:
            operation.over.wait(STOP_SECONDS)
        self._closed.set()

    def _tell_stopped(self, app: str, serving: int, who: str, stopped: str) -> None:
        """Stopping what was under way was the whole rollback."""
        tell = self._parts.journal.record
        self._tell_begun(self._parts.journal.release(serving), who)
        reason = f"{stopped} was stopped, release {serving} serves on"
        tell("note", release=serving, app=app, message=reason)
        tell("rollback.finished", release=serving, app=app, outcome="serving", reason=reason)

    def _tell_begun(self, target: ReleaseRecord, who: str) -> Event:
        return self._parts.journal.record(
            "rollback.started",
            release=target.number,
            app=target.app,
            commit=target.commit,
            subject=target.subject,
            who=who,
        )

    def _stop_for_rollback(self, app: str, who: str) -> Operation | None:
        """What was under way and was told to stop; its traffic is back, or it was too late."""
        with self._lock:
            line = list(self._lines.get(app, []))
        serving = self._parts.serving(app)
        for operation in reversed(line):
            if operation.what.startswith("the rollback"):
                raise BusyError(f"{operation.what} of {app} is under way already")
            operation.stop.request(f"{who} asked for a rollback")
        for operation in line:
            had_traffic = operation.record.number == serving
            self._wait_until_back(operation, had_traffic=had_traffic)
        return line[0] if line else None

    def _wait_until_back(self, operation: Operation, *, had_traffic: bool) -> None:
        """Until it is over; where the traffic was, its going back is enough: draining goes on."""

        def back() -> bool:
            number = operation.record.number
            gone = had_traffic and self._parts.serving(operation.record.app) != number
            return gone or operation.over.is_set()

        with suppress(DeadlineError):
            wait_until(back, seconds=STOP_SECONDS, what=operation.what)

    def _start(self, operation: Operation, run: Callable[[Operation], None]) -> None:
        def body() -> None:
            try:
                self._wait_for_turn(operation)
                self._keep_outgoing(operation)
                run(operation)
            finally:
                with self._lock:
                    self._lines[operation.record.app].remove(operation)
                operation.over.set()

        threading.Thread(target=body, name=operation.what, daemon=True).start()

    def _wait_for_turn(self, operation: Operation) -> None:
        with self._lock:
            line = self._lines[operation.record.app]
            before = line[: line.index(operation)]
        for earlier in before:
            self._parts.journal.record(
                "note",
                release=operation.record.number,
                app=operation.record.app,
                message=f"waits for {earlier.what}",
            )
            earlier.over.wait()

    def _keep_outgoing(self, operation: Operation) -> None:
        serving = self._parts.serving(operation.record.app)
        with self._lock:
            operation.outgoing.update([] if serving is None else [serving])

    # -- what an operation does, from its first event to its receipt

    def _release(self, operation: Operation) -> None:
        record = operation.record
        journal = self._parts.journal
        journal.record(
            "release.started",
            release=record.number,
            app=record.app,
            commit=record.commit,
            subject=record.subject,
            who=record.who,
        )
        story = pipeline.question if operation.question else pipeline.release
        outcome, reason = self._ended(operation, story)
        self._write_down(lambda: bookkeeping.finish_release(self._parts, record, outcome, reason))

    def _roll_back(self, operation: Operation, began: int) -> None:
        outcome, reason = self._ended(operation, rollback.roll_back)
        self._write_down(
            lambda: bookkeeping.finish_rollback(
                self._parts, operation.record, began, outcome, reason
            )
        )

    def _write_down(self, write: Callable[[], None]) -> None:
        """The end has to be in the journal: with a full disk it waits until there is space."""
        while not self._closed.is_set():
            try:
                write()
            except JournalError as error:
                log.warning("%s %s", error.message, error.hint)
                self._closed.wait(RETRY_SECONDS)
            else:
                return

    def _ended(self, operation: Operation, story: Callable[[Work], None]) -> tuple[Outcome, str]:
        """How it ended and why, without secrets: the last lines of a machine may hold some."""
        outcome, reason = self._outcome(operation, story)
        return outcome, self._parts.redactor(operation.record.app)(reason)

    def _outcome(self, operation: Operation, story: Callable[[Work], None]) -> tuple[Outcome, str]:
        record = operation.record
        try:
            operation.stop.check()
            app = self._parts.app_of(record)
            require_web(app)
            work = Work(
                parts=self._parts,
                record=record,
                app=app,
                stop=operation.stop,
                despite=operation.despite,
            )
            with telling_traffic(work):
                story(work)
        except BreachError as error:
            return "rolled-back", _told(error)
        except StoppedError as error:
            return "failed", f"stopped: {error.message}"
        except REFUSALS as error:
            return "refused", _told(error)
        except DayflyError as error:
            return "failed", _told(error)
        except Exception as error:
            log.exception("%s", operation.what)
            return "failed", f"a defect in Dayfly: {type(error).__name__}: {error}"
        return "assessed" if operation.question else "serving", ""


def _told(error: DayflyError) -> str:
    return f"{error.message}\n{error.hint}" if error.hint else error.message
