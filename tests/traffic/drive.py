"""Run a plan in a thread of its own, while the test does what it is about."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import TypeVar

from traffic.clients import events, fresh, kept, long
from traffic.plan import Kind, Plan
from traffic.session import Session
from traffic.tally import Second, Tally

START_SECONDS = 10.0
GRACE_SECONDS = 2.0  # beyond what an answer may take
GOODBYE_SECONDS = 0.05  # for closed connections to be gone
POLL_SECONDS = 0.5
CLIENTS = {
    "get": fresh.client,
    "post": fresh.client,
    "keepalive": kept.busy,
    "idle": kept.idle,
    "slow": long.client,
    "upload": long.client,
    "events": events.client,
}

T = TypeVar("T")


def run(plan: Plan) -> Tally:
    """Carry out the whole plan and return what was counted."""
    with steady(plan) as load:
        return load.finish()


@contextmanager
def steady(plan: Plan) -> Iterator["Load"]:
    """Traffic while the block runs."""
    load = Load(plan)
    try:
        yield load
    finally:
        load.stop()


class Load:
    """Running traffic. Its methods are for other threads than its own."""

    def __init__(self, plan: Plan) -> None:
        self._started: Future[tuple[Session, asyncio.AbstractEventLoop]] = Future()
        self._tally: Future[Tally] = Future()
        self._thread = threading.Thread(target=self._work, args=(plan,), daemon=True)
        self._thread.start()
        self._session, self._loop = self._started.result(START_SECONDS)

    def stop(self) -> Tally:
        """Let what is open finish, and count. Can be called twice."""
        self._ask(lambda session: session.ended.set())
        return self.finish()

    def finish(self) -> Tally:
        """Wait until the plan's time is over, and count."""
        self._thread.join()
        return self._tally.result()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def mark(self, at: float | None = None) -> None:
        """Tell of a cutover, now or at a moment since the epoch: the budget of streams counts."""
        ago = 0.0 if at is None else time.time() - at
        self._ask(lambda session: session.mark(time.monotonic() - ago))

    def so_far(self) -> Tally:
        return self._ask(lambda session: session.book.tally())

    def last_second(self) -> Second:
        return self._ask(lambda session: session.book.last_second())

    def _work(self, plan: Plan) -> None:
        try:
            self._tally.set_result(asyncio.run(self._drive(plan)))
        except BaseException as error:  # noqa: BLE001 - whoever waits for the tally gets it
            self._tally.set_exception(error)

    async def _drive(self, plan: Plan) -> Tally:
        session = Session(plan)
        self._started.set_result((session, asyncio.get_running_loop()))
        await _until_ended(session)
        return session.book.tally()

    def _ask(self, question: Callable[[Session], T]) -> T:
        answer: Future[T] = Future()
        with suppress(RuntimeError):  # the loop is closed: nobody else uses the session
            self._loop.call_soon_threadsafe(lambda: answer.set_result(question(self._session)))
        while True:
            try:
                return answer.result(POLL_SECONDS if self._thread.is_alive() else 0)
            except TimeoutError:
                if not self._thread.is_alive():
                    return question(self._session)


async def _until_ended(session: Session) -> None:
    """Run all clients; an error of theirs that is not the server's failure ends the run."""
    clients = asyncio.gather(
        *(client for kind in session.plan.kinds for client in _clients(session, kind))
    )
    ended = asyncio.create_task(session.ended.wait())
    await asyncio.wait(
        (clients, ended), timeout=session.plan.seconds, return_when=asyncio.FIRST_COMPLETED
    )
    session.ended.set()
    longest = max(session.plan.slow, session.plan.upload)
    await asyncio.wait((clients,), timeout=session.plan.timeout + longest + GRACE_SECONDS)
    clients.cancel()
    with suppress(asyncio.CancelledError):
        await clients
    await ended
    await asyncio.sleep(GOODBYE_SECONDS)


def _clients(session: Session, kind: Kind) -> list[Coroutine[object, object, None]]:
    if kind.name == "h2":
        from traffic.clients import secure  # noqa: PLC0415 - only these two need a dependency

        return [secure.clients(session, kind)]
    if kind.name == "websocket":
        from traffic.clients import websocket  # noqa: PLC0415

        client = websocket.client
    else:
        client = CLIENTS[kind.name]
    return [client(session, kind, number) for number in range(kind.clients)]
