"""What a person looks at around a search: how many when, which values, what stands beside it."""

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from anyio import CapacityLimiter
from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from dayfly.clock import SECOND
from dayfly.errors import DayflyError
from dayfly.logs import wire
from dayfly.logs.answers import WishError
from dayfly.logs.around import Place, around
from dayfly.logs.comparing import new_patterns
from dayfly.logs.histogram import histogram
from dayfly.logs.most import MOST_AROUND
from dayfly.logs.notice import notice
from dayfly.logs.parameters import (
    BOUNDS,
    Told,
    bounds,
    each_once,
    moment,
    needed,
    refuse_unknown,
    whole,
)
from dayfly.logs.query import instants, tree
from dayfly.logs.query.meaning import ATTRIBUTES
from dayfly.logs.query.parse import parse
from dayfly.logs.query.severe import ERRORS
from dayfly.logs.record import STREAM
from dayfly.logs.store.store import Ask, Store
from dayfly.logs.streamed import Streamed

JSON = "application/json"
FACETS = ("app", "release", "level", "host", "machine", "process", "stream")
MOST_NAMES, MOST_VALUES, MOST_BARS = 20, 1000, 1000
FEW_VALUES, USUAL_BARS, FEW_AROUND = 10, 60, 20
COMPLETION_SECONDS = 3  # who types does not wait longer
MOST_RELEASE = 2**31
Made = Callable[[Store, Told, Ask], Mapping[str, Any]]


@dataclass(frozen=True)
class Exploring:
    """Every answer is one JSON object; `cut` in it says what was left out."""

    store: Store
    threads: CapacityLimiter
    now: Callable[[], float] = time.time

    def routes(self) -> list[BaseRoute]:
        return [Route(path, _Endpoint(self, path), methods=["GET"]) for path in _MADE]

    def answer(self, path: str, request: Request) -> ASGIApp:
        told = each_once(request)
        known, seconds, make = _MADE[path]
        refuse_unknown(told, (*known, *BOUNDS))
        ask = bounds(told, self.now(), seconds=seconds)
        return Streamed(
            _line(lambda: make(self.store, told, ask)),
            media_type=JSON,
            stop=ask.stop,
            threads=self.threads,
            failed=_failure,
        )


class _Endpoint:
    """An ASGI application: its answer listens, so that who leaves stops it."""

    def __init__(self, exploring: Exploring, path: str) -> None:
        self._exploring = exploring
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._exploring.answer(self._path, Request(scope, receive))
        await answer(scope, receive, send)


def _line(make: Callable[[], Mapping[str, Any]]) -> Generator[bytes]:
    yield wire.json_line(make())


def _failure(error: DayflyError) -> bytes:
    return wire.json_line(notice(error=error.message, hint=error.hint))


def _histogram(store: Store, told: Told, ask: Ask) -> Mapping[str, Any]:
    bars = whole("bars", told, USUAL_BARS, MOST_BARS, least=2)
    found = histogram(store, _where(told), bars=bars, ask=ask)
    made = [asdict(bar) | {"time": instants.iso(bar.time)} for bar in found.bars]
    return {
        "since": instants.iso(found.since),
        "until": instants.iso(found.until),
        "seconds": found.width / SECOND,
        "bars": made,
        "cut": found.cut,
    }


def _facets(store: Store, told: Told, ask: Ask) -> Mapping[str, Any]:
    names = [name.strip() for name in told.get("names", ",".join(FACETS)).split(",")]
    names = list(dict.fromkeys(filter(None, names)))
    if not 1 <= len(names) <= MOST_NAMES:
        raise WishError(f"names: found {len(names)}, allowed are 1 to {MOST_NAMES} fields")
    for name in {"time", "message"}.intersection(names):
        raise WishError(f"names: {name} has another value in nearly every record; name a field")
    size = whole("size", told, FEW_VALUES, MOST_VALUES)
    found = store.facets(_where(told), names, size=size, ask=ask)
    made = [
        {"name": each.name, "having": each.having, "values": _values(each.values)}
        for each in found.facets
    ]
    return {"total": found.total, "facets": made, "cut": found.cut}


def _fields(store: Store, told: Told, ask: Ask) -> Mapping[str, Any]:
    """Attributes first, then fields by name; `types` are those with which they came."""
    prefix = told.get("prefix", "").lower()
    attributes = {name: "i" if name == "release" else "s" for name in ATTRIBUTES}
    found = attributes | {
        name: kinds for name, kinds in store.fields(ask).items() if name not in attributes
    }
    made = [
        {"name": name, "types": [_TYPES[kind] for kind in kinds]}
        for name, kinds in found.items()
        if name.lower().startswith(prefix)
    ]
    size = whole("size", told, MOST_VALUES, MOST_VALUES)
    cut = f"cut: {len(made)} fields" if len(made) > size else ""
    return {"fields": made[:size], "cut": cut}


_TYPES = {"s": "text", "i": "number", "f": "number", "b": "truth"}


def _completed(store: Store, told: Told, ask: Ask) -> Mapping[str, Any]:
    name, prefix = needed("name", told), told.get("prefix", "")
    if name in ("time", "message"):
        raise WishError(f"name: {name} has another value in nearly every record; name a field")
    where: tree.Node = _where(told)
    if prefix:
        where = tree.And((tree.Starts(name, prefix), where))
    size = whole("size", told, FEW_VALUES, MOST_VALUES)
    found = store.facets(where, [name], size=size, ask=ask)
    return {"name": name, "values": _values(found.facets[0].values), "cut": found.cut}


def _context(store: Store, told: Told, ask: Ask) -> Mapping[str, Any]:
    needed("time", told)
    place = Place(
        time=moment("time", told, 0, 0),
        release=whole("release", told, 0, MOST_RELEASE, least=0),
        message=told.get("message"),
        digest=told.get("digest"),
        **{name: told.get(name, "") for name in STREAM if name != "release"},
    )
    before = whole("before", told, FEW_AROUND, MOST_AROUND, least=0)
    after = whole("after", told, FEW_AROUND, MOST_AROUND, least=0)
    found = around(store, place, before=before, after=after, ask=ask)
    return {"records": list(map(wire.plain, found.records)), "at": found.at, "cut": found.cut}


def _compared(store: Store, told: Told, ask: Ask) -> Mapping[str, Any]:
    before, after = needed("before", told), needed("after", told)
    found = new_patterns(
        store,
        _where(told) if told.get("query") else ERRORS,
        before=whole("before", {"before": before}, 0, MOST_RELEASE),
        after=whole("after", {"after": after}, 0, MOST_RELEASE),
        ask=ask,
        begin=moment("after_since", told, 0, ask.since),
    )
    return {"patterns": found.rows, "nothing_of": found.nothing_of, "cut": found.cut}


def _where(told: Told) -> tree.Node:
    query = parse(told.get("query", ""))
    if query.pipes:
        raise WishError("query: found a `|`, allowed are conditions only")
    return query.where


def _values(values: list[tuple[Any, int]]) -> list[dict[str, Any]]:
    return [{"value": value, "count": count} for value, count in values]


_MADE: dict[str, tuple[tuple[str, ...], int, Made]] = {
    "/histogram": (("query", "bars"), 60, _histogram),
    "/facets": (("query", "names", "size"), 60, _facets),
    "/fields": (("prefix", "size"), COMPLETION_SECONDS, _fields),
    "/values": (("name", "prefix", "query", "size"), COMPLETION_SECONDS, _completed),
    "/context": (("time", *STREAM, "message", "digest", "before", "after"), 60, _context),
    "/compare": (("before", "after", "after_since", "query"), 60, _compared),
}
