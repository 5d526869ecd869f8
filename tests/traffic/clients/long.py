"""Requests that take seconds: the answer (slow), or sending the body (upload)."""

from traffic.dialects import Kinds
from traffic.plan import Kind
from traffic.session import Session


async def client(session: Session, kind: Kind, number: int) -> None:
    random = session.random(kind, number)
    app = Kinds()
    await session.sleep(random.uniform(0, 2))  # not all in step
    while not session.ended.is_set():
        if kind.name == "slow":
            question = app.slow(session.token(), session.plan.slow)
        else:
            question = app.upload(random, session.plan.upload)
        wire = await session.ask(kind, question)
        if wire:
            wire.close()
        else:
            await session.sleep(0.2)  # a server that refuses is not hammered
