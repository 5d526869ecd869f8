"""Lines of a forwarder, read here into records."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from dayfly.logs.forwarded import PATH, About, ForwardedError, understood
from dayfly.logs.intake.body import Room
from dayfly.logs.intake.lines import batch_of
from dayfly.logs.parsing.line import read_all
from dayfly.logs.parsing.parsed import Known, Parsed
from dayfly.logs.record import Value
from dayfly.logs.store.problems import BodyError
from dayfly.logs.store.store import Store

TOGETHER = 256  # lines: what is looked at together stays in the processor's cache
_BEGIN = b'\n{"message":'  # of every line but the first
_encoder = msgspec.json.Encoder()


class _Located(msgspec.Struct, omit_defaults=True, gc=False):
    """A record that itself says where it comes from."""

    message: str
    time: int
    level: str
    fields: dict[str, Value]
    app: str = ""
    release: int = 0
    machine: str = ""
    host: str = ""
    process: str = ""


@dataclass(frozen=True)
class Forwarded:
    """A batch that was taken before is answered with 0 taken."""

    store: Store
    room: Room

    def routes(self) -> list[BaseRoute]:
        return [Route(PATH, self._take, methods=["POST"])]

    async def _take(self, request: Request) -> Response:
        batch = batch_of(request)
        async with self.room.body(request) as body:
            take = partial(self._append, body, batch)
            taken = await to_thread.run_sync(take, limiter=self.room.threads)
        return JSONResponse({"taken": taken})

    def _append(self, body: bytes, batch: str) -> int:
        return self.store.append(records(body), batch=batch)


def records(body: bytes) -> bytes:
    """Newline JSON as the store takes it.

    Lines that tell no time get the moment of their reading, each a nanosecond later than the last:
    so those of one batch keep their order where they are sorted by time.
    """
    try:
        about, lines = understood(body)
        known, stamps = about.known(), about.stamps()
        pieces = [
            _written(_timed(lines[begin : begin + TOGETHER], about, known, begin), stamps)
            for begin in range(0, len(lines), TOGETHER)
        ]
    except (ForwardedError, ValueError, TypeError) as error:
        raise BodyError(str(error), hint=getattr(error, "hint", "")) from error
    return b"".join(pieces)


def _timed(
    lines: Sequence[str] | Sequence[Parsed], about: About, known: Known, begin: int
) -> list[Parsed]:
    made = list(_read(lines, about, known))
    for moment, each in enumerate(made, known.moment + begin):
        if each.time is None:
            each.time = moment
    return made


def _read(lines: Sequence[str] | Sequence[Parsed], about: About, known: Known) -> Iterable[Parsed]:
    texts = [each for each in lines if isinstance(each, str)]
    if about.lines == "written":
        return read_all(texts, known)
    return map(Parsed, texts) if texts else [each for each in lines if isinstance(each, Parsed)]


def _written(made: Sequence[Parsed], stamps: Mapping[str, str | int]) -> bytes:
    """What all have in common is put into each: no line break is in JSON but between lines."""
    wire = [_located(each, stamps) if each.origin else each for each in made]
    lines = _encoder.encode_lines(wire)
    if not stamps:
        return lines
    common = _encoder.encode(stamps)[:-1] + b","
    return common + lines[1:].replace(_BEGIN, b"\n" + common + _BEGIN[2:])


def _located(parsed: Parsed, stamps: Mapping[str, str | int]) -> _Located:
    """What the forwarder knows counts for more."""
    own: dict[str, Any] = {
        name: int(word) if name == "release" else word
        for name, word in parsed.origin.items()
        if name not in stamps
    }
    return _Located(parsed.message, parsed.time or 0, parsed.level, parsed.fields, **own)
