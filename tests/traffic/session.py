"""One run of a plan: what all its clients share."""

import asyncio
import secrets
import time
from contextlib import suppress
from random import Random

from traffic.book import Book
from traffic.dialects import dialect
from traffic.plan import Kind, Plan
from traffic.wire import Answer, BrokenError, Question, Wire


class Session:
    """Lives in one event loop."""

    def __init__(self, plan: Plan) -> None:
        name = f"load-{plan.seed}-{secrets.token_hex(4)}"
        self.plan = plan
        self.book = Book(name, tuple(kind.name for kind in plan.kinds))
        self.dialect = dialect(plan.dialect)
        self.target = plan.plain_target()
        self.ended = asyncio.Event()
        self._marks: list[float] = []
        self._tokens = 0

    def token(self) -> str:
        """A word nobody said before."""
        self._tokens += 1
        return f"{self.book.run}-{self._tokens}"

    def random(self, kind: Kind, number: int) -> Random:
        return Random(f"{self.plan.seed} {kind.name} {number}")

    def question(self, random: Random, writes: float) -> Question:
        """A POST with probability `writes`, else a GET."""
        if random.random() < writes:
            return self.dialect.post(self.token(), random)
        return self.dialect.get(self.token(), random)

    async def sleep(self, seconds: float) -> None:
        """Returns early when the run ends."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.ended.wait(), max(seconds, 0))

    def sent(self, kind: Kind) -> None:
        self.book.sent(kind.name)
        if self.book.sent_in_all >= self.plan.limit:
            self.ended.set()

    def right(self, kind: Kind, question: Question, answer: Answer, began: float) -> None:
        """Enter a good answer; its latency is what it took beyond what it was asked to take."""
        latency = max(time.monotonic() - began - question.seconds, 0.0)
        self.book.ok(kind.name, answer.release, latency)
        if question.reference:
            self.book.created.append(question.reference)
            self.dialect.created(question.reference)

    def wrong(self, kind: Kind, question: Question, error: BrokenError) -> None:
        self.book.failed(kind.name, error.what, error.release)
        if question.reference:
            self.book.uncertain.append(question.reference)

    def given_up(self, kind: Kind, question: Question) -> None:
        """Enter what this client itself did not wait for."""
        self.book.count(kind.name, "aborted")
        if question.reference:
            self.book.uncertain.append(question.reference)

    async def ask(self, kind: Kind, question: Question, wire: Wire | None = None) -> Wire | None:
        """Ask once, on `wire` or a new connection, and enter the outcome.

        Returns the connection while it can be used again. Never asks twice.
        """
        self.sent(kind)
        began = time.monotonic()
        try:
            wire = wire or await Wire.open(self.target, self.plan.timeout)
            answer = await wire.ask(question, self.plan.timeout)
            question.verify(answer)
        except BrokenError as error:
            self.wrong(kind, question, error)
            _close(wire)
            return None
        except asyncio.CancelledError:
            self.given_up(kind, question)
            _close(wire)
            raise
        self.right(kind, question, answer, began)
        if wire.reusable:
            return wire
        wire.close()
        return None

    async def still_open(self, kind: Kind, wire: Wire | None) -> Wire | None:
        """The connection, unless the server closed it before anything was sent: counted apart."""
        if wire and await wire.closed_by_server():
            self.book.count(kind.name, "reconnects")
            wire.close()
            return None
        return wire

    def mark(self, at: float) -> None:
        """A cutover happened: streams opened before may be ended by the rules from then on."""
        self._marks.append(at)

    def may_be_cut(self, opened: float) -> bool:
        """Whether the budget of a cutover since then has run out."""
        due = time.monotonic() - self.plan.stream_budget
        return any(opened <= mark <= due for mark in self._marks)

    def may_say_goodbye(self, opened: float) -> bool:
        """Whether the server may close it cleanly; always where nobody marks cutovers."""
        return not self._marks or any(opened <= mark for mark in self._marks)


def _close(wire: Wire | None) -> None:
    if wire:
        wire.close()
