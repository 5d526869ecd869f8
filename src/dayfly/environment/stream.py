"""Server-sent events: the journal as it is written, and the output of one command."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dayfly.client import LAST, SECONDS, WAITS
from dayfly.clock import Stop
from dayfly.environment.environment import Environment
from dayfly.environment.orders import RunWish, read
from dayfly.errors import DayflyError
from dayfly.events import Event
from dayfly.release import oneoff
from dayfly.release.journal import Journal

HEARTBEAT_SECONDS = SECONDS / 3  # before a client gives up
STILL_HERE = ": still here\n\n"
NO_BUFFER = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


async def events(environment: Environment, request: Request) -> Response:
    """All events, or those of one release until it is finished, from where the reader left off."""
    number = request.path_params.get("number")
    if number is not None:
        environment.parts.journal.release(number)
    told = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    after = int(told) if told.isdecimal() else 0

    async def lines() -> AsyncIterator[str]:
        async for event in follow(environment.parts.journal, after=after, release=number):
            yield STILL_HERE if event is None else sse(event)

    return StreamingResponse(lines(), media_type="text/event-stream", headers=NO_BUFFER)


async def follow(
    journal: Journal, *, after: int, release: int | None
) -> AsyncIterator[Event | None]:
    """Events as they come; None now and then, so that a dead connection is noticed.

    With a release it ends after the release's last event.
    """
    loop = asyncio.get_running_loop()
    news = asyncio.Event()

    def wake(_: Event) -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody follows any more
            loop.call_soon_threadsafe(news.set)

    end = journal.subscribe(wake)
    try:
        while True:
            news.clear()
            batch = await asyncio.to_thread(journal.events, after=after, release=release)
            for event in batch:
                after = event.number
                if release is not None and _overtaken(journal, event):
                    continue
                yield event
                if release is not None and event.kind in LAST:
                    return
            if batch:
                continue
            try:
                await asyncio.wait_for(news.wait(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield None
    finally:
        end()


def _overtaken(journal: Journal, event: Event) -> bool:
    """A wait that is over was not the end."""
    waits = event.kind == WAITS and event.release is not None
    return waits and journal.release(event.release or 0).outcome != "waiting"


def sse(event: Event) -> str:
    data = json.dumps(asdict(replace(event, data=dict(event.data))))
    return f"id: {event.number}\nevent: {event.kind}\ndata: {data}\n\n"


async def run(environment: Environment, request: Request) -> Response:
    """Run one command in a fresh machine; its output as it comes, its exit status at the end."""
    wanted = read(await request.body(), RunWish)
    parts, app = environment.parts, request.path_params["app"]
    number = wanted.release or parts.serving(app)
    if number is None:
        raise LookupError(f"no release of {app} serves")
    told = _Told(asyncio.get_running_loop())
    command = partial(
        oneoff.run,
        parts,
        parts.journal.release(number),
        wanted.command,
        on_line=lambda line: told.tell("output", line=line),
        stop=told.stop,
        occupied=environment.occupied,
    )
    return StreamingResponse(
        told.until_finished(command), media_type="text/event-stream", headers=NO_BUFFER
    )


class _Told:
    """What a command in a worker thread tells, as an event stream of this loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: asyncio.Queue[tuple[str, dict[str, object]]] = asyncio.Queue()
        self.stop = Stop()

    def tell(self, kind: str, **data: object) -> None:
        self._loop.call_soon_threadsafe(self._queue.put_nowait, (kind, data))

    async def until_finished(self, command: Callable[[], int]) -> AsyncIterator[str]:
        """All that is told, with a sign of life in between; a client that goes stops it."""
        working = asyncio.create_task(asyncio.to_thread(self._work, command))
        try:
            kind = ""
            while kind != "finished":
                try:
                    kind, data = await asyncio.wait_for(self._queue.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    yield STILL_HERE
                else:
                    yield f"event: {kind}\ndata: {json.dumps(data)}\n\n"
        finally:
            self.stop.request("the client went away")
            await working

    def _work(self, command: Callable[[], int]) -> None:
        end: dict[str, object] = {"status": None, "error": "a defect in Dayfly", "hint": ""}
        try:
            end = {"status": command()}
        except DayflyError as error:
            end = {"status": None, "error": error.message, "hint": error.hint}
        finally:
            self.tell("finished", **end)
