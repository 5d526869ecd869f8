"""Runs releases and rollbacks: one at a time for an app, each in a thread of its own."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from dayfly.clock import DeadlineError, wait_until
from dayfly.errors import DayflyError
from dayfly.events import Event
from dayfly.release import bookkeeping, contracts, pipeline, rollback, waiting
from dayfly.release.journal import JournalError
from dayfly.release.lines import Lines
from dayfly.release.operation import Operation, carried_out
from dayfly.release.records import Order, ReleaseRecord, Wish
from dayfly.release.work import Parts, ReleaseError

STOP_SECONDS = 120.0
RETRY_SECONDS = 2.0  # between two attempts to write to a full disk

log = logging.getLogger(__name__)


class BusyError(DayflyError):
    """Another release or rollback of the app is under way."""


class Engine:
    """Takes orders; the journal tells what became of them."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._closed = threading.Event()
        self.lines = Lines()

    def release(self, order: Order, *, queue: bool = False) -> int:
        """Start a release, or let it wait for the one under way; returns its number."""
        with self.lines.of(order.app) as line:
            ordered = [operation for operation in line if operation.alone]
            if ordered and not queue:
                raise BusyError(
                    f"{ordered[0].what} of {order.app} is under way",
                    hint="`--queue` waits for it; `dayfly release --follow` shows it",
                )
            record = self._parts.journal.open_release(order)
            operation = Operation(
                what=f"release {record.number}",
                record=record,
                story=pipeline.question if order.question else pipeline.release,
                outcome="assessed" if order.question else "serving",
                wish=order.wish,
            )
            line.append(operation)
        self._start(operation, self._release)
        return record.number

    def go_on(self, record: ReleaseRecord) -> None:
        """A release that waited for its window lines up again."""
        journal, wish = self._parts.journal, waiting.wish_of(self._parts, record)
        with self.lines.of(record.app) as line:
            if any(operation.record.number == record.number for operation in line):
                return
            journal.go_on(record.number)
            operation = Operation(
                what=f"release {record.number}",
                record=journal.release(record.number),
                story=pipeline.release_in_window,
                wish=wish,
            )
            line.append(operation)
        self._start(operation, self._release)

    def contract(self, record: ReleaseRecord) -> None:
        """Run what a release has left out; it serves, and is looked after meanwhile."""
        with self.lines.of(record.app) as line:
            if line:
                return
            operation = Operation(
                what=f"the contract of release {record.number}",
                record=record,
                story=pipeline.contract,
                alone=False,
            )
            began = self._parts.journal.record(
                contracts.STARTED, release=record.number, app=record.app
            )
            line.append(operation)
        self._start(operation, lambda o: self._contract(o, began.number))

    def roll_back(self, app: str, to: int | None, who: str, *, accept_loss: str = "") -> int:
        """Stop what is under way, then go back; returns the release gone back to.

        `accept_loss`: why what the database would lose by it is given up.
        """
        stopped = self._stop_for_rollback(app, who)
        serving = self._parts.serving(app)
        too_late = stopped is not None and stopped.record.number == serving
        closed = app in self._parts.balancer.routing().closed  # it could not be undone
        enough = stopped and not too_late and not closed
        if enough and stopped and serving is not None and to in {None, serving}:
            self._tell_stopped(app, serving, who, stopped.what)
            return serving
        with self.lines.of(app) as line:
            if line:
                raise BusyError(f"{line[0].what} of {app} is under way")
            target = rollback.goal(self._parts, app, to)
            operation = Operation(
                what=f"the rollback to release {target.number}",
                record=target,
                story=rollback.roll_back,
                wish=Wish(accept_loss=accept_loss),
            )
            # Before the answer: who follows waits for its end.
            began = self._tell_begun(target, who)
            line.append(operation)
        self._start(operation, lambda o: self._roll_back(o, began.number))
        return target.number

    def stop(self, number: int, why: str) -> None:
        """Ask a release to stop; it undoes what it did. ReleaseError when it isn't under way."""
        record = self._parts.journal.release(number)
        with self.lines.of(record.app) as line:
            found = [operation for operation in line if operation.record.number == number]
            if not found:
                self._stop_waiting(record, why)
        for operation in found:
            operation.stop.request(why)

    def _stop_waiting(self, record: ReleaseRecord, why: str) -> None:
        if record.outcome != "waiting":
            raise ReleaseError(f"release {record.number} is not under way")
        self._parts.journal.conclude(record.number, "failed", f"stopped: {why}")

    def close(self) -> None:
        """The server ends: what is under way is undone first."""
        everything = self.lines.all()
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
        with self.lines.of(app) as own:
            line = list(own)
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
                serving = self._parts.serving(operation.record.app)
                self.lines.keep_outgoing(operation, serving)
                run(operation)
            finally:
                self.lines.remove(operation)
                operation.over.set()

        threading.Thread(target=body, name=operation.what, daemon=True).start()

    def _wait_for_turn(self, operation: Operation) -> None:
        for earlier in self.lines.before(operation):
            self._parts.journal.record(
                "note",
                release=operation.record.number,
                app=operation.record.app,
                message=f"waits for {earlier.what}",
            )
            earlier.over.wait()

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
        outcome, reason = carried_out(self._parts, operation)
        self._write_down(lambda: bookkeeping.finish_release(self._parts, record, outcome, reason))

    def _roll_back(self, operation: Operation, began: int) -> None:
        outcome, reason = carried_out(self._parts, operation)
        self._write_down(
            lambda: bookkeeping.finish_rollback(
                self._parts, operation.record, began, outcome, reason
            )
        )

    def _contract(self, operation: Operation, began: int) -> None:
        outcome, reason = carried_out(self._parts, operation)
        ended = "done" if outcome == operation.outcome else outcome
        self._write_down(
            lambda: bookkeeping.finish_contract(self._parts, operation.record, began, ended, reason)
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
