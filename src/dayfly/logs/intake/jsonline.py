"""Newline JSON of whatever shape, with the parameters that VictoriaLogs gave to it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import polars as pl
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from dayfly.clock import SECOND
from dayfly.logs.answers import WishError
from dayfly.logs.intake.body import Room
from dayfly.logs.intake.columns import as_it_is, as_text, fill, frame, nothing, told
from dayfly.logs.intake.documents import record, whole
from dayfly.logs.intake.layout import Column, Layouts, Texts, UnfitError
from dayfly.logs.parameters import each_once
from dayfly.logs.parsing import loose, times
from dayfly.logs.parsing.objects import flat, plainly
from dayfly.logs.parsing.parsed import UTC
from dayfly.logs.record import Value
from dayfly.logs.store.line import Line
from dayfly.logs.store.problems import BodyError
from dayfly.logs.store.store import Store

MESSAGE, TIME, STREAM, IGNORED, EXTRA = NAMES = (
    "_msg_field", "_time_field", "_stream_fields", "ignore_fields", "extra_fields",
)  # fmt: skip
_SHOWN = 80
_UNTOLD = ("", "0", 0)  # the moment counts


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Under which names a sender has what; of several the first that is there counts.

    Streams are nothing here: every field can be searched.
    """

    message: Sequence[str] = ("_msg",)
    time: Sequence[str] = ("_time",)
    ignored: frozenset[str] = frozenset()
    extra: Mapping[str, str] | None = None


@dataclass(frozen=True)
class JsonLines:
    store: Store
    room: Room
    now: Callable[[], float] = time.time
    layouts: Layouts = field(default_factory=Layouts)

    def routes(self) -> list[BaseRoute]:
        return [Route("/insert/jsonline", self._insert, methods=["POST", "PUT"])]

    async def _insert(self, request: Request) -> Response:
        shape = shape_of(_told(request))
        async with self.room.body(request) as body:
            taken = await to_thread.run_sync(self._take, body, shape, limiter=self.room.threads)
        return JSONResponse({"taken": taken})

    def _take(self, body: bytes, shape: Shape) -> int:
        now = round(self.now() * SECOND)
        try:
            return self.store.keep_frame(columns_of(body, shape, now, self.layouts))
        except UnfitError:
            return self.store.keep(read(body, shape, now))


def _told(request: Request) -> dict[str, str]:
    """Parameters, or what headers such as VL-Msg-Field say instead of them."""
    told = each_once(request)
    for name in NAMES:
        header = "VL-" + name.strip("_").replace("_", "-")
        if name not in told and (value := request.headers.get(header)):
            told[name] = value
    return told


def shape_of(told: Mapping[str, str]) -> Shape:
    """WishError says which parameter is wrong."""
    for name in told:
        if name not in NAMES:
            raise WishError(f"{name}: no such parameter; allowed are {', '.join(NAMES)}")
    extra = dict(each.partition("=")[::2] for each in _words(told.get(EXTRA)))
    if "" in extra or not all(extra.values()):
        raise WishError(f"{EXTRA}: found {told[EXTRA]!r}, allowed is NAME=VALUE,NAME=VALUE")
    return Shape(
        message=_words(told.get(MESSAGE)) or Shape.message,
        time=_words(told.get(TIME)) or Shape.time,
        ignored=frozenset(_words(told.get(IGNORED))),
        extra=extra,
    )


def _words(told: str | None) -> list[str]:
    return [word.strip() for word in (told or "").split(",") if word.strip()]


def columns_of(body: bytes, shape: Shape, now: int, layouts: Layouts) -> pl.DataFrame:
    """The records that `read` reads; UnfitError where only that can tell."""
    texts = Texts(body)
    found = layouts.columns(texts)
    for name in shape.ignored & found.keys():
        del found[name]
    for name, value in (shape.extra or {}).items():
        found[name] = Column([value] * texts.count, frozenset((str,)))
    said = fill(found, shape.message, nothing(texts.count), as_text)
    at = fill(found, shape.time, nothing(texts.count), as_it_is)
    return frame(found, now, lambda row: whole(texts.each[row]), said, _moments(at))


def _moments(at: Column) -> Column:
    found = told(at)
    if found is not at:
        for moment, value in zip(found.values, at.values, strict=True):
            if moment is None and value is not None and value not in _UNTOLD:
                raise UnfitError
    return found


def read(body: bytes, shape: Shape, now: int) -> list[Line]:
    """Records; BodyError names the line that is wrong."""
    return [
        _record(number, text, shape, now)
        for number, text in enumerate(body.split(b"\n"), 1)
        if text and not text.isspace()
    ]


def _record(number: int, text: bytes, shape: Shape, now: int) -> Line:
    fields = _fields(number, text)
    if shape.ignored:
        fields = {name: value for name, value in fields.items() if name not in shape.ignored}
    if shape.extra:
        fields |= shape.extra
    said, at = _taken(fields, shape.message), _taken(fields, shape.time)
    return record(fields, now, text, said, None if at is None else _time(at, number))


def _fields(number: int, text: bytes) -> dict[str, Value]:
    if text.find(b"{", 1) < 0 and (plain := plainly(text)) is not None:
        return plain
    try:
        fields = flat(loose.an_object(text))
    except loose.BROKEN as error:
        shown = text[:_SHOWN].decode(errors="replace")
        raise BodyError(f"line {number} is no JSON object: {error}: {shown}") from error
    if fields is None:
        raise BodyError(f"line {number} has more fields, or deeper ones, than a record can have")
    return fields


def _taken(fields: dict[str, Value], names: Sequence[str]) -> Value | None:
    for name in names:
        if name in fields:
            return fields.pop(name)
    return None


def _time(said: Value, number: int, zone: ZoneInfo = UTC) -> int | None:
    """None for one that is empty or 0: then the moment counts."""
    if said in _UNTOLD:
        return None
    found = times.told(said, zone)
    if found is None:
        raise BodyError(
            f"line {number}: the time is {said!r}, allowed are ISO 8601 and a number since 1970"
        )
    return found
