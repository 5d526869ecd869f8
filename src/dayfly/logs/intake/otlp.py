"""OTLP/HTTP for logs, as OpenTelemetry's SDKs and collector send it: protobuf and JSON."""

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
from anyio import to_thread
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest as Export,
)
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceResponse as Exported,
)
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from dayfly.clock import SECOND
from dayfly.errors import DayflyError
from dayfly.logs.answers import RETRY_SECONDS, status_of
from dayfly.logs.intake import messages, otlprecords
from dayfly.logs.intake.body import EncodingError, Room
from dayfly.logs.parsing import loose
from dayfly.logs.store.problems import BodyError, StoreFullError
from dayfly.logs.store.store import Store

PROTOBUF, JSON = "application/x-protobuf", "application/json"
_LATER = (429, 503)  # of these statuses alone a sender knows that it is to come again
_CODES = {400: 3, 413: 3, 415: 3, 429: 8, 503: 14}  # of gRPC: wrong, exhausted, unavailable
_INTERNAL = 13
_encode = msgspec.json.Encoder().encode
_IDS = ("traceId", "spanId", "trace_id", "span_id")
_HINT = "https://opentelemetry.io/docs/specs/otlp says what is sent."


@dataclass(frozen=True)
class Otlp:
    store: Store
    room: Room
    now: Callable[[], float] = time.time

    def routes(self) -> list[BaseRoute]:
        return [Route("/v1/logs", self._export, methods=["POST"])]

    async def _export(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            if kind not in (PROTOBUF, JSON):
                raise EncodingError(f"Content-Type {kind!r}; allowed are {PROTOBUF} and {JSON}")
            async with self.room.body(request) as body:
                answer = await to_thread.run_sync(
                    self._taken, body, kind, limiter=self.room.threads
                )
        except DayflyError as error:
            return _refused(error, kind)
        return Response(_written(answer, kind), media_type=kind)

    def _taken(self, body: bytes, kind: str) -> Exported:
        """What is right is on disk; of the rest is told how many, and why the first."""
        asked = of_json(body) if kind == JSON else of_protobuf(body)
        lines, wrong = otlprecords.read(asked, round(self.now() * SECOND))
        if lines:
            self.store.append(b"\n".join(lines))
        answer = Exported()
        if wrong:
            answer.partial_success.rejected_log_records = len(wrong)
            answer.partial_success.error_message = wrong[0]
        return answer


def of_protobuf(body: bytes) -> Export:
    try:
        return Export.FromString(body)
    except DecodeError as error:
        raise BodyError(f"The body is no ExportLogsServiceRequest: {error}", hint=_HINT) from error


def of_json(body: bytes) -> Export:
    """Ids are written in hex here, where protobuf's own JSON has base64."""
    try:
        told = loose.an_object(body)
        _rewrite_ids(told)
        return json_format.ParseDict(told, Export(), ignore_unknown_fields=True)
    except (
        msgspec.MsgspecError, json_format.ParseError, ValueError, TypeError, AttributeError,
        RecursionError,
    ) as error:  # fmt: skip
        raise BodyError(f"The body is no ExportLogsServiceRequest: {error}", hint=_HINT) from error


def _rewrite_ids(told: object) -> None:
    for record in _below(told, ("resourceLogs", "scopeLogs", "logRecords")):
        for name in _IDS:
            if isinstance(value := record.get(name), str):
                record[name] = base64.b64encode(bytes.fromhex(value)).decode()


def _below(told: object, names: tuple[str, ...]) -> list[dict[str, object]]:
    """The objects in lists of lists; a name may be written with `_`, too."""
    found = [told] if isinstance(told, dict) else []
    for name in names:
        snake = "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in name)
        lists = [each.get(name) or each.get(snake) or [] for each in found]
        found = [one for each in lists for one in each if isinstance(one, dict)]
    return found


def _written(message: Exported, kind: str) -> bytes:
    if kind == JSON:
        return _encode(json_format.MessageToDict(message))
    return message.SerializeToString()


def _refused(error: DayflyError, kind: str) -> Response:
    """A full disk is a server that is not available: then senders come again."""
    status = 503 if isinstance(error, StoreFullError) else status_of(error)
    code, said = _CODES.get(status, _INTERNAL), f"{error.message} {error.hint}".strip()
    headers = {"Retry-After": str(RETRY_SECONDS)} if status in _LATER else None
    if kind == PROTOBUF:
        return Response(messages.status(code, said), status, headers, media_type=PROTOBUF)
    told: Mapping[str, object] = {"code": code, "message": said}
    return Response(_encode(told), status, headers, media_type=JSON)
