"""What is kept, and what is to go: usage and deletion over HTTP."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from dayfly.clock import SECOND
from dayfly.logs.answers import WishError
from dayfly.logs.parameters import each_once, moment, refuse_unknown
from dayfly.logs.query import instants, tree
from dayfly.logs.query.parse import parse
from dayfly.logs.store.store import EARLIEST, LATEST, Ask, Store


def usage(store: Store) -> dict[str, Any]:
    """What `/usage` and `dayfly logs usage` tell, ready to be JSON."""
    outlook = store.outlook()
    full_at = outlook.full_at
    return {
        **asdict(outlook),
        "full_at": None if full_at is None else instants.iso(int(full_at) * SECOND),
        "apps": [asdict(each) for each in store.usage()],
        "problems": store.problems,
    }


@dataclass(frozen=True)
class Keeping:
    """A deletion goes on when who asked has left, and the next one waits for it."""

    store: Store
    threads: CapacityLimiter
    now: Callable[[], float] = time.time
    deleting: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/usage", self._usage, methods=["GET"]),
            Route("/records", self._delete, methods=["DELETE"]),
        ]

    async def _usage(self, _: Request) -> Response:
        found = await to_thread.run_sync(usage, self.store, limiter=self.threads)
        return JSONResponse(found)

    async def _delete(self, request: Request) -> Response:
        where, ask = doomed(each_once(request), self.now())
        delete = partial(self.store.delete, where, ask=ask)
        found = await to_thread.run_sync(delete, limiter=self.deleting)
        return JSONResponse({"deleted": found.records, "without": list(found.without)})


def doomed(told: dict[str, str], now: float) -> tuple[tree.Node, Ask]:
    """Which records; nobody deletes everything by leaving something out."""
    refuse_unknown(told, ("query", "since", "until"))
    if not told.get("query", "").strip():
        raise WishError("query: found nothing, allowed is what is to be deleted; `*` is all of it")
    query = parse(told["query"])
    if query.pipes:
        raise WishError("query: found a `|`, allowed are conditions only")
    since, until = moment("since", told, now, EARLIEST), moment("until", told, now, LATEST)
    return query.where, Ask(since=since, until=until)
