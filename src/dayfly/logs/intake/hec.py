"""Splunk's HTTP Event Collector: events, raw lines, acknowledgements and its own error codes."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from dayfly import typed
from dayfly.clock import SECOND
from dayfly.errors import DayflyError
from dayfly.logs.answers import RETRY_SECONDS, status_of
from dayfly.logs.intake.body import Room
from dayfly.logs.intake.hecevents import WRONG, EventError, events, raw
from dayfly.logs.store.problems import StoreFullError
from dayfly.logs.store.store import Store

CHANNEL = "X-Splunk-Request-Channel"
COLLECTOR = "/services/collector"
_BUSY, _NO_CHANNEL, _WRONG_CHANNEL, _HEALTHY, _FULL = 9, 10, 11, 17, 18
_CHANNEL = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_ABOUT = ("host", "source", "sourcetype", "index", "time")  # what an address may tell
_EVENTS, _RAW = ("", "/event", "/event/1.0"), ("/raw", "/raw/1.0")
_MILLISECONDS, _SIGN_BITS = 1000, 12  # numbers stay below 2^53, which JavaScript can count to
_LATER = (429, 503)
Read = Callable[[bytes, Mapping[str, str], int], list[bytes]]


class _Asked(msgspec.Struct):
    acks: list[int]


_asked = typed.decoder(_Asked).decode


class Acks:
    """An answer says that its events are on disk: every number that was given is acknowledged.

    Nothing is kept of them: a number tells itself, in its last bits, of which channel it is.
    The first is the time of the start, so numbers go on upward when the server is started again.
    """

    def __init__(self, first: int) -> None:
        self._latest = first

    def give(self, channel: str) -> int:
        self._latest += 1
        return self._latest << _SIGN_BITS | _sign(self._latest, channel)

    def knows(self, number: int, channel: str) -> bool:
        given = number >> _SIGN_BITS
        return given > 0 and number == given << _SIGN_BITS | _sign(given, channel)


def _sign(number: int, channel: str) -> int:
    digest = blake2b(f"{number} {channel.lower()}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) & (1 << _SIGN_BITS) - 1


@dataclass(frozen=True)
class Hec:
    store: Store
    room: Room
    now: Callable[[], float] = time.time
    acks: Acks = field(default_factory=lambda: Acks(round(time.time() * _MILLISECONDS)))

    def routes(self) -> list[BaseRoute]:
        made = list[BaseRoute]()
        for path in (*_EVENTS, *_RAW):
            collect = self._events if path in _EVENTS else self._raw
            made.append(Route(COLLECTOR + path, collect, methods=["POST"]))
            made.append(Route(COLLECTOR + path, _greeted, methods=["OPTIONS"]))
        for version in ("", "/1.0"):
            made.append(Route(f"{COLLECTOR}/ack{version}", self._acknowledged, methods=["POST"]))
            made.append(Route(f"{COLLECTOR}/health{version}", self._health, methods=["GET"]))
        return made

    async def _events(self, request: Request) -> Response:
        return await self._collect(request, events)

    async def _raw(self, request: Request) -> Response:
        return await self._collect(request, raw)

    async def _collect(self, request: Request, read: Read) -> Response:
        about = {name: told for name in _ABOUT if (told := request.query_params.get(name))}
        try:
            channel = channel_of(request)
            async with self.room.body(request) as body:
                await to_thread.run_sync(self._take, body, read, about, limiter=self.room.threads)
        except DayflyError as error:
            return _refused(error)
        return _said(200, 0, "Success", **({"ackId": self.acks.give(channel)} if channel else {}))

    def _take(self, body: bytes, read: Read, about: Mapping[str, str]) -> None:
        self.store.append(b"\n".join(read(body, about, round(self.now() * SECOND))))

    async def _acknowledged(self, request: Request) -> Response:
        try:
            if not (channel := channel_of(request)):
                raise EventError(_NO_CHANNEL, "Data channel is missing")
            async with self.room.body(request) as body:
                numbers = _asked(body).acks
        except msgspec.MsgspecError:
            return _said(400, WRONG, "Invalid data format")
        except DayflyError as error:
            return _refused(error)
        return JSONResponse({"acks": {str(one): self.acks.knows(one, channel) for one in numbers}})

    async def _health(self, _: Request) -> Response:
        if await to_thread.run_sync(lambda: self.store.full, limiter=self.room.threads):
            return _said(503, _FULL, "HEC is unhealthy, queues are full")
        return _said(200, _HEALTHY, "HEC is healthy")


def channel_of(request: Request) -> str:
    """Empty where none is told: then nothing is to be acknowledged."""
    channel = request.headers.get(CHANNEL) or request.query_params.get("channel") or ""
    if channel and not _CHANNEL.fullmatch(channel):
        raise EventError(_WRONG_CHANNEL, "Invalid data channel")
    return str(channel)


def refused_token(authorization: str) -> Response:
    """What Splunk says of a token that is missing, or of none that it knows."""
    if not authorization:
        return _said(401, 2, "Token is required")
    if not authorization.partition(" ")[2].strip():
        return _said(401, 3, "Invalid authorization")
    return _said(403, 4, "Invalid token")


async def _greeted(_: Request) -> Response:
    """Docker's driver asks so whether somebody is there."""
    return Response(status_code=200)


def _refused(error: DayflyError) -> Response:
    if isinstance(error, EventError):
        number = {} if error.number is None else {"invalid-event-number": error.number}
        return _said(400, error.code, error.message, **number)
    status = 503 if isinstance(error, StoreFullError) else status_of(error)
    return _said(status, _BUSY if status in _LATER else WRONG, error.message)


def _said(status: int, code: int, text: str, **more: Any) -> Response:  # noqa: ANN401 - JSON
    headers = {"Retry-After": str(RETRY_SECONDS)} if status in _LATER else None
    return JSONResponse({"text": text, "code": code, **more}, status, headers)
