"""Server-sent events: the journal as it is written, and the output of one command."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dayfly.client import LAST
from dayfly.clock import Stop
from dayfly.environment.environment import Environment
from dayfly.environment.orders import RunWish, read
from dayfly.errors import DayflyError
from dayfly.events import Event
from dayfly.release import oneoff
from dayfly.release.journal import Journal

HEARTBEAT_SECONDS = 10.0
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
            yield ": still here\n\n" if event is None else sse(event)

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
                yield event
                after = event.number
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
    record = parts.journal.release(number)
    queue: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    stop = Stop()

    def tell(kind: str, **data: object) -> None:
        loop.call_soon_threadsafe(queue.put_nowait, (kind, data))

    def work() -> None:
        try:
            status = oneoff.run(
                environment.parts,
                record,
                wanted.command,
                on_line=lambda line: tell("output", line=line),
                stop=stop,
                occupied=environment.occupied,
            )
            tell("finished", status=status)
        except DayflyError as error:
            tell("finished", status=None, error=error.message, hint=error.hint)

    async def lines() -> AsyncIterator[str]:
        working = asyncio.create_task(asyncio.to_thread(work))
        try:
            kind = ""
            while kind != "finished":
                kind, data = await queue.get()
                yield f"event: {kind}\ndata: {json.dumps(data)}\n\n"
        finally:
            stop.request("the client went away")
            await working

    return StreamingResponse(lines(), media_type="text/event-stream", headers=NO_BUFFER)
