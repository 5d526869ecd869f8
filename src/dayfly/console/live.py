"""Tells open pages that something changed; they fetch themselves again and take what is new."""

import asyncio
from collections.abc import AsyncIterator

from dayfly.console.state import State

PAUSE_SECONDS = 0.5  # a page is not redrawn more often, however much happens
ALIVE_SECONDS = 15.0


async def changes(state: State, after: int, release: int | None) -> AsyncIterator[str]:
    """Server-sent events that carry only the number of the last event worth a look."""
    seen = _Seen(after)
    reader = asyncio.create_task(_read(state, seen, release))
    try:
        yield "retry: 1000\n\n"
        while not reader.done():
            try:
                await asyncio.wait_for(seen.news.wait(), ALIVE_SECONDS)
            except TimeoutError:
                yield ": alive\n\n"
                continue
            seen.news.clear()
            yield f"id: {seen.number}\nevent: changed\ndata: {seen.number}\n\n"
            await asyncio.sleep(PAUSE_SECONDS)
    finally:
        reader.cancel()


class _Seen:
    """The last event that matters here, and whether it is news."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.news = asyncio.Event()


async def _read(state: State, seen: _Seen, release: int | None) -> None:
    async for event in state.events(seen.number):
        seen.number = event.number
        if release is None or event.release in {release, None}:
            seen.news.set()
