"""A new connection for each request, started by the clock and not by the answer before."""

import asyncio
import time

from traffic.plan import Kind
from traffic.session import Session
from traffic.wire import Question

AT_ONCE = 1000  # open requests, a bound for this client's memory


async def client(session: Session, kind: Kind, number: int) -> None:
    random = session.random(kind, number)
    writes = 1.0 if kind.name == "post" else 0.0
    running: set[asyncio.Task[None]] = set()
    due = time.monotonic()
    while not session.ended.is_set():
        late = time.monotonic() - due
        session.book.late = max(session.book.late, late)
        question = session.question(random, writes)
        task = asyncio.create_task(_ask_once(session, kind, question))
        running.add(task)
        task.add_done_callback(running.discard)
        due += random.uniform(0.5, 1.5) * kind.clients / kind.rate
        await session.sleep(due - time.monotonic())
        if len(running) >= AT_ONCE:
            await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    try:
        await asyncio.gather(*running)
    except asyncio.CancelledError:
        await asyncio.gather(*running, return_exceptions=True)
        raise


async def _ask_once(session: Session, kind: Kind, question: Question) -> None:
    wire = await session.ask(kind, question)
    if wire:
        wire.close()
