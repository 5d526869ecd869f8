"""TLS with HTTP/2: several streams on one connection, and connections that are replaced."""

import asyncio
import time

from traffic.http2 import Connection, UntouchedError
from traffic.plan import Kind
from traffic.session import Session
from traffic.wire import Answer, BrokenError, Question

STREAMS = 3  # clients that share a connection
LIFE_SECONDS = 8.0
TRIES = 3
WRITES = 0.25


class Lane:
    """The connection that some clients share, and its replacements."""

    def __init__(self, session: Session, kind: Kind) -> None:
        self._session, self._kind = session, kind
        self._target = session.plan.secure_target()
        self._lock = asyncio.Lock()
        self._current: Connection | None = None
        self._born = 0.0

    async def connection(self) -> Connection:
        async with self._lock:
            current = self._current
            if current and time.monotonic() - self._born > LIFE_SECONDS:
                current.retire()
            if current:
                await current.settle()
            if current and current.open_for_more:
                return current
            if current and current.closed_idle:
                self._session.book.count(self._kind.name, "reconnects")
            self._current = None  # should the next line fail
            self._current = await Connection.open(self._target, self._session.plan.timeout)
            self._born = time.monotonic()
            return self._current

    async def close(self) -> None:
        if self._current:
            await self._current.close()


async def clients(session: Session, kind: Kind) -> None:
    """All clients of this kind, since some share a connection."""
    lanes = [Lane(session, kind) for _ in range(-(-kind.clients // STREAMS))]
    tasks = [
        asyncio.create_task(_client(session, kind, number, lanes[number % len(lanes)]))
        for number in range(kind.clients)
    ]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for lane in lanes:
            await lane.close()


async def _client(session: Session, kind: Kind, number: int, lane: Lane) -> None:
    random = session.random(kind, number)
    due = time.monotonic()
    while not session.ended.is_set():
        await _ask(session, kind, session.question(random, WRITES), lane)
        due = max(due + random.uniform(0.5, 1.5) * kind.clients / kind.rate, time.monotonic())
        await session.sleep(due - time.monotonic())


async def _ask(session: Session, kind: Kind, question: Question, lane: Lane) -> None:
    session.sent(kind)
    began = time.monotonic()
    try:
        answer = await _answer(session, kind, question, lane)
        question.verify(answer)
    except BrokenError as error:
        session.wrong(kind, question, error)
    except asyncio.CancelledError:
        session.given_up(kind, question)
        raise
    else:
        session.right(kind, question, answer, began)


async def _answer(session: Session, kind: Kind, question: Question, lane: Lane) -> Answer:
    """Asked again only where the server said that it had not touched the stream: counted."""
    for _ in range(TRIES):
        connection = await lane.connection()
        try:
            return await connection.ask(question, session.plan.timeout)
        except UntouchedError:
            session.book.count(kind.name, "retried")
    raise BrokenError(f"refused {TRIES} times")
