"""Searches over HTTP: what is asked, and the answer as it is found."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from anyio import CapacityLimiter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dayfly.clock import SECOND
from dayfly.errors import DayflyError
from dayfly.logs import wire
from dayfly.logs.answers import WishError
from dayfly.logs.exploring import Exploring
from dayfly.logs.keeping import Keeping
from dayfly.logs.most import MOST_RECORDS
from dayfly.logs.notice import notice
from dayfly.logs.parameters import bounds, each_once, refuse_unknown, whole
from dayfly.logs.query import tree
from dayfly.logs.query.instants import iso
from dayfly.logs.query.parse import parse
from dayfly.logs.query.rows import columns
from dayfly.logs.record import Record
from dayfly.logs.store.store import Ask, Store
from dayfly.logs.streamed import Streamed

FEW = 200
AT_ONCE = 16  # searches that run; the others wait, and the intake is stalled by none
JSON_LINES, CSV = "application/x-ndjson", "text/csv"


@dataclass(frozen=True, kw_only=True)
class Wish:
    query: tree.Query
    ask: Ask
    limit: int
    newest_first: bool
    csv: bool


@dataclass(frozen=True)
class Asking:
    """The routes of who asks."""

    store: Store
    now: Callable[[], float] = time.time
    threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(AT_ONCE))

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/search", _Searching(self), methods=["GET"]),
            Route("/now", self._clock, methods=["GET"]),
            *Keeping(self.store, self.threads, self.now).routes(),
            *Exploring(self.store, self.threads, self.now).routes(),
        ]

    async def _clock(self, _: Request) -> Response:
        return JSONResponse({"time": iso(round(self.now() * SECOND))})

    def answer(self, request: Request) -> ASGIApp:
        asked = wish(each_once(request), request.headers.get("accept", ""), self.now())
        return Streamed(
            (_csv if asked.csv else _json)(self.store, asked),
            media_type=CSV if asked.csv else JSON_LINES,
            stop=asked.ask.stop,
            threads=self.threads,
            failed=lambda error: _failure(error, csv=asked.csv),
        )


class _Searching:
    """An ASGI application: its answer is no Response, for it listens while it speaks."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._asking.answer(Request(scope, receive))
        await answer(scope, receive, send)


def wish(told: dict[str, str], accept: str, now: float) -> Wish:
    """Parameters as a search; QueryError or WishError say what is wrong with them."""
    refuse_unknown(told, ("query", "since", "until", "limit", "order", "seconds"))
    order = told.get("order", "newest")
    if order not in ("newest", "oldest"):
        raise WishError(f"order: found {order!r}, allowed are newest and oldest")
    return Wish(
        query=parse(told.get("query", "")),
        ask=bounds(told, now),
        limit=whole("limit", told, FEW, MOST_RECORDS),
        newest_first=order == "newest",
        csv=CSV in accept,
    )


def _json(store: Store, asked: Wish) -> Generator[bytes]:
    """A line each; what was cut is told in a last line of its own."""
    rows, cut = _rows(store, asked)
    for row in rows:
        yield wire.json_line(row)
    if cut():
        yield wire.json_line(notice(cut=cut()))


def _csv(store: Store, asked: Wish) -> Generator[bytes]:
    rows, cut = _rows(store, asked)
    first = next(rows, None)  # before anything is said: an error then has a status of its own
    yield wire.csv_line(_names(asked.query))
    for row in () if first is None else chain((first,), rows):
        yield wire.csv_line(list(row.values()))
    if cut():
        yield f"# cut: {cut()}\r\n".encode()


def _names(query: tree.Query) -> Sequence[str]:
    return columns(query.pipes[0]) if query.pipes else wire.NAMES


def _rows(store: Store, asked: Wish) -> tuple[Iterator[dict[str, Any]], Callable[[], str]]:
    """Rows, and what was cut when they have ended."""
    pipe = asked.query.pipes[0] if asked.query.pipes else None
    if pipe is not None and not isinstance(pipe, tree.Select):
        answer = store.aggregate(asked.query, ask=asked.ask)
        return iter(answer.rows), lambda: answer.cut
    found = store.search(
        asked.query, limit=asked.limit, newest_first=asked.newest_first, ask=asked.ask
    )
    shown = _shown(pipe.names if pipe else ())
    return (shown(record) for record in found), lambda: found.cut


def _shown(names: tuple[str, ...]) -> Callable[[Record], dict[str, Any]]:
    return (lambda record: wire.chosen(record, names)) if names else wire.plain


def _failure(error: DayflyError, *, csv: bool) -> bytes:
    if csv:
        return f"# error: {error.message}\r\n".encode()
    return wire.json_line(notice(error=error.message, hint=error.hint))
