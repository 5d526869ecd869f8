"""Event streams: numbered from 1, without a gap, and no end before its time."""

import asyncio
import time

from traffic.dialects import status_flaw
from traffic.plan import Kind
from traffic.session import Session
from traffic.wire import Answer, BrokenError, Question, Wire, strictly

PAUSE_SECONDS = 0.2
ENDED = "ended by the server"
CUTS = (ENDED, "truncated", "closed without an answer", "reset")
STREAM = Question(path="/events?every=0.2", flaw=lambda answer: status_flaw(answer, 200))


async def client(session: Session, kind: Kind, number: int) -> None:
    random = session.random(kind, number)
    while not session.ended.is_set():
        await _hold(session, kind, random.uniform(*session.plan.hold))
        await session.sleep(PAUSE_SECONDS)


async def _hold(session: Session, kind: Kind, seconds: float) -> None:
    """One stream for so long: ok when it was still sound when this client left."""
    session.sent(kind)
    opened = time.monotonic()
    release, wire = "-", None
    try:
        wire = await Wire.open(session.target, session.plan.timeout)
        release = await _open(wire, session.plan.timeout)
        await _follow(session, wire, opened + seconds)
        session.book.ok(kind.name, release)
    except BrokenError as error:
        if error.what in CUTS and session.may_be_cut(opened):
            session.book.count(kind.name, "ended")
        else:
            session.book.failed(kind.name, error.what, release)
    except asyncio.CancelledError:
        session.book.count(kind.name, "aborted")
        raise
    finally:
        if wire:
            wire.close()


async def _open(wire: Wire, seconds: float) -> str:
    async with strictly(seconds):
        wire.send_head(STREAM, {"Accept": "text/event-stream"})
        status, headers = await wire.head()
    answer = Answer(status=status, headers=headers, body=b"")
    STREAM.verify(answer)
    return answer.release


async def _follow(session: Session, wire: Wire, until: float) -> None:
    """Read events until then; BrokenError for a gap, a silence or an end."""
    chunks, unread, expected = wire.chunks(), b"", 1
    while not session.ended.is_set() and time.monotonic() < until:
        async with strictly(session.plan.timeout):
            chunk = await anext(chunks, None)
        if chunk is None:
            raise BrokenError(ENDED)
        *events, unread = (unread + chunk).split(b"\n\n")
        for event in events:
            if event.split(b"\n")[0] != b"id: %d" % expected:
                raise BrokenError(f"gap: {event[:20]!r} instead of event {expected}")
            expected += 1
