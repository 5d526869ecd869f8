"""Connections that are kept: busy ones, and ones that lie idle for seconds before their reuse."""

import time

from traffic.plan import Kind
from traffic.session import Session

WRITES = 0.25  # share of POST requests; the one that nobody may send twice
WRITES_AFTER_IDLE = 0.5
LIFE_SECONDS = 60.0


async def busy(session: Session, kind: Kind, number: int) -> None:
    random = session.random(kind, number)
    wire, born, due = None, time.monotonic(), time.monotonic()
    while not session.ended.is_set():
        wire = await session.still_open(kind, wire)
        wire = await session.ask(kind, session.question(random, WRITES), wire)
        if wire and time.monotonic() - born > LIFE_SECONDS:
            wire.close()
            wire, born = None, time.monotonic()
        due = max(due + random.uniform(0.5, 1.5) * kind.clients / kind.rate, time.monotonic())
        await session.sleep(due - time.monotonic())
    if wire:
        wire.close()


async def idle(session: Session, kind: Kind, number: int) -> None:
    random = session.random(kind, number)
    wire = None
    while not session.ended.is_set():
        wire = await session.still_open(kind, wire)
        wire = await session.ask(kind, session.question(random, WRITES_AFTER_IDLE), wire)
        await session.sleep(random.uniform(*session.plan.idle))
    if wire:
        wire.close()
