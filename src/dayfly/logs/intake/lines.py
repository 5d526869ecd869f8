"""Newline JSON of records, as anybody may send it."""

import re
from dataclasses import dataclass
from functools import partial

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from dayfly.logs.intake.body import Room
from dayfly.logs.store.problems import BodyError
from dayfly.logs.store.store import Store

BATCH = "X-Dayfly-Batch"
_BATCH = re.compile(r"[\x21-\x7e]{0,200}")


@dataclass(frozen=True)
class Lines:
    """A batch that was taken before is answered with 0 taken."""

    store: Store
    room: Room

    def routes(self) -> list[BaseRoute]:
        return [Route("/ingest", self._ingest, methods=["POST"])]

    async def _ingest(self, request: Request) -> Response:
        batch = batch_of(request)
        async with self.room.body(request) as body:
            take = partial(self.store.append, body, batch=batch)
            taken = await to_thread.run_sync(take, limiter=self.room.threads)
        return JSONResponse({"taken": taken})


def batch_of(request: Request) -> str:
    """The identity of a body; empty where it has none."""
    batch = request.headers.get(BATCH, "")
    if not _BATCH.fullmatch(batch):
        raise BodyError(f"{BATCH}: found {batch[:80]!r}, allowed are 200 visible characters")
    return batch
