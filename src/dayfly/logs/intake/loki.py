"""Loki's push: streams of labels, each with its lines; JSON, or protobuf packed by snappy."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from anyio import to_thread
from google.protobuf.message import DecodeError
from msgspec import structs
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from dayfly import typed
from dayfly.clock import SECOND
from dayfly.logs.intake.body import Room
from dayfly.logs.intake.documents import line
from dayfly.logs.intake.messages import push_of
from dayfly.logs.parsing import loose
from dayfly.logs.parsing.levels import of_word
from dayfly.logs.parsing.line import read
from dayfly.logs.parsing.objects import LEVELS
from dayfly.logs.parsing.parsed import Known
from dayfly.logs.record import Value
from dayfly.logs.store.problems import BodyError
from dayfly.logs.store.store import Store

VERSION = "3.5.0"  # whose push this is
_PROTOBUF = "application/x-protobuf"
_STREAM = ("filename", "stream")  # labels that say where in its machine a line was written
_LABEL = re.compile(r'\s*([a-zA-Z_][\w.:]*)\s*=\s*("(?:[^"\\]|\\.)*")\s*(,|$)', re.DOTALL)
_HEX = "[0-9a-fA-F]"
_ESCAPE = re.compile(rf"\\(x{_HEX}{{2}}|u{_HEX}{{4}}|U{_HEX}{{8}}|[0-7]{{3}}|.)", re.DOTALL)
_SHORT = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_LEAST, _MOST = -(2**63), 2**63 - 1


class _Stream(msgspec.Struct):
    stream: dict[str, str]
    values: list[list[Any]]


class _Push(msgspec.Struct):
    streams: list[_Stream]


_decode = typed.decoder(_Push).decode
Entry = tuple[int, str, Mapping[str, str]]  # time, line, labels and what else is told of it


@dataclass(frozen=True)
class Loki:
    store: Store
    room: Room
    now: Callable[[], float] = time.time

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/loki/api/v1/push", self._push, methods=["POST"]),
            Route("/loki/api/v1/status/buildinfo", _built, methods=["GET"]),
            Route("/ready", _ready, methods=["GET"]),
        ]

    async def _push(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        packed = kind == _PROTOBUF
        async with self.room.body(request, "snappy" if packed else "") as body:
            await to_thread.run_sync(self._take, body, packed, limiter=self.room.threads)
        return Response(status_code=204)

    def _take(self, body: bytes, packed: bool) -> None:
        now = round(self.now() * SECOND)
        made = [line_of(entry, now) for entry in (of_protobuf(body) if packed else of_json(body))]
        self.store.append(b"\n".join(made))


def of_json(body: bytes) -> Iterator[Entry]:
    """BodyError names the stream and the entry that is wrong."""
    try:
        push = _decoded(body)
    except loose.BROKEN as error:
        raise BodyError(
            f"The body is no push: {error}",
            hint='{"streams": [{"stream": {"app": "web"}, "values": [["NANOSECONDS", "line"]]}]}',
        ) from error
    for number, stream in enumerate(push.streams):
        for place, value in enumerate(stream.values):
            yield _entry(value, stream.stream, f"streams[{number}].values[{place}]")


def _decoded(body: bytes) -> _Push:
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeError):
        return loose.decoded_as(body, _Push)


def of_protobuf(body: bytes) -> Iterator[Entry]:
    try:
        push = push_of(body)
    except DecodeError as error:
        raise BodyError(f"The body is no PushRequest: {error}") from error
    for stream in push.streams:
        labels = labels_of(_text(stream.labels))
        for entry in stream.entries:
            at = entry.timestamp.seconds * SECOND + entry.timestamp.nanos
            more = {_text(pair.name): _text(pair.value) for pair in entry.metadata}
            yield _checked(at, f"time {at}"), _text(entry.line), labels | more


def labels_of(text: str) -> dict[str, str]:
    """`{app="web", host="a"}`, whose values are quoted as in Go."""
    inside = text.strip()
    if not (inside.startswith("{") and inside.endswith("}")):
        raise _no_labels(text)
    inside, labels, position = inside[1:-1].strip(), dict[str, str](), 0
    while position < len(inside):
        found = _LABEL.match(inside, position)
        if not found:
            raise _no_labels(text)
        labels[found[1]] = _ESCAPE.sub(_unescaped, found[2][1:-1])
        position = found.end()
    return labels


def _unescaped(found: re.Match[str]) -> str:
    told = found[1]
    if len(told) == 1:
        return _SHORT.get(told, told)
    number = int(told[1:], 16) if told[0] in "xuU" else int(told, 8)
    return "\ufffd" if number > 0x10FFFF or 0xD800 <= number < 0xE000 else chr(number)  # noqa: PLR2004 - the end of Unicode, and halves of pairs


def _no_labels(text: str) -> BodyError:
    return BodyError(f'found {text[:80]!r}, allowed are labels such as {{app="web"}}')


def _entry(value: list[Any], labels: Mapping[str, str], place: str) -> Entry:
    at, said, *rest = value if len(value) in (2, 3) else (None, None)
    more = rest[0] if rest else {}
    if not isinstance(said, str) or not isinstance(more, dict):
        raise BodyError(f'{place}: allowed is ["NANOSECONDS", "line"], and an object after them')
    if not (isinstance(at, str) and at.isascii() and at.isdecimal()):
        raise BodyError(f"{place}: the time is {at!r}, allowed are nanoseconds in quotes")
    told = {name: text if isinstance(text, str) else str(text) for name, text in more.items()}
    return _checked(int(at[:30]), place), said, {**labels, **told}


def _checked(at: int, place: str) -> int:
    if not _LEAST <= at <= _MOST:
        raise BodyError(f"{place}: {at} nanoseconds are out of range")
    return at


def line_of(entry: Entry, now: int) -> bytes:
    """A line is read as a forwarder reads it; its time is that of the push."""
    at, said, labels = entry
    parsed = read(said, Known(now))
    rest: dict[str, Value] = {**labels, **parsed.fields}
    level = parsed.level
    if name := next((name for name in LEVELS if of_word(labels.get(name, ""))), ""):
        level = of_word(labels[name])
        rest.pop(name)
    stream = next((str(rest.pop(name)) for name in _STREAM if isinstance(rest.get(name), str)), "")
    return line(structs.replace(parsed, time=at, level=level), rest, now, stream=stream)


def _text(told: bytes) -> str:
    return told.decode(errors="replace")


async def _built(_: Request) -> Response:
    return JSONResponse({"version": VERSION, "revision": "dayfly", "branch": "", "goVersion": ""})


async def _ready(_: Request) -> Response:
    return PlainTextResponse("ready\n")
