"""OpenTelemetry's log records as ours."""

import base64
import math
from typing import Any

import msgspec
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest as Export,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from dayfly.logs.intake.documents import line
from dayfly.logs.parsing.levels import of_word
from dayfly.logs.parsing.objects import flat, of_fields
from dayfly.logs.parsing.parsed import Known, Parsed
from dayfly.logs.record import Value
from dayfly.logs.store.problems import BodyError

_STEPS = ((21, "critical"), (17, "error"), (13, "warning"), (9, "info"), (1, "debug"))
_MOST_TIME = 2**63 - 1
_DIGITS = 9  # of a number that may be a release's
_encode = msgspec.json.Encoder().encode
Values = dict[str, Any]


def read(asked: Export, now: int) -> tuple[list[bytes], list[str]]:
    """Records as lines, and why others are none."""
    lines, wrong = list[bytes](), list[str]()
    for resource in asked.resource_logs:
        origin = values_of(resource.resource.attributes)
        for scope in resource.scope_logs:
            about = origin | _scope(scope.scope)
            for record in scope.log_records:
                try:
                    lines.append(_line(record, about, now))
                except BodyError as error:
                    wrong.append(f"record {len(lines) + len(wrong) + 1}: {error.message}")
    return lines, wrong


def values_of(pairs: Any) -> Values:  # noqa: ANN401 - a repeated KeyValue
    """Attributes as plain values."""
    return {each.key: _value(each.value) for each in pairs}


def _value(told: AnyValue) -> Any:  # noqa: ANN401 - whatever it holds
    kind = told.WhichOneof("value")
    if kind == "kvlist_value":
        return values_of(told.kvlist_value.values)
    if kind == "array_value":
        return [_value(each) for each in told.array_value.values]
    if kind == "bytes_value":
        return base64.b64encode(told.bytes_value).decode()
    if kind == "double_value" and not math.isfinite(told.double_value):
        return str(told.double_value)  # JSON has no such numbers
    return getattr(told, kind) if kind else None


def _scope(scope: InstrumentationScope) -> Values:
    named = {"scope.name": scope.name, "scope.version": scope.version}
    return values_of(scope.attributes) | {name: text for name, text in named.items() if text}


def _line(record: LogRecord, about: Values, now: int) -> bytes:
    """What a record says of itself counts for more than what its resource says."""
    own = flat(values_of(record.attributes) | _told(record))
    around = flat(about)
    body = _body(record.body, now)
    if own is None or around is None or body is None:
        raise BodyError("it has more fields, or deeper ones, than a record can have")
    fields = {**around, **body.fields, **own}
    shadowed = {f"resource.{name}": value for name, value in around.items() if name in own}
    at = record.time_unix_nano or record.observed_time_unix_nano or body.time or now
    if at > _MOST_TIME:
        raise BodyError(f"{at} nanoseconds are out of range")
    level = _level(record, fields) or body.level
    parsed = Parsed(body.message or record.event_name, level, at)
    release = _release(fields)
    return line(parsed, fields | shadowed, now, **release)


def _told(record: LogRecord) -> Values:
    told = {
        "trace_id": record.trace_id.hex(),
        "span_id": record.span_id.hex(),
        "flags": record.flags,
        "event_name": record.event_name,
        "dropped_attributes_count": record.dropped_attributes_count,
    }
    return {name: value for name, value in told.items() if value}


def _body(body: AnyValue, now: int) -> Parsed | None:
    """A text is the message as it is; an object is read as a line of JSON is."""
    value = _value(body)
    if isinstance(value, dict):
        fields = flat(value)
        return None if fields is None else of_fields(fields, _encode(value).decode(), Known(now))
    if value is None or isinstance(value, str):
        return Parsed(value or "")
    return Parsed(_encode(value).decode())


def _level(record: LogRecord, fields: dict[str, Value]) -> str:
    """By its number, else by its word; a word that we don't have is kept."""
    number, word = record.severity_number, record.severity_text
    level = next((level for least, level in _STEPS if number >= least), "") or of_word(word)
    if word and of_word(word) != level:
        fields["severity_text"] = word
    return level


def _release(fields: dict[str, Value]) -> dict[str, Any]:
    """The service's version, where it counts as Dayfly's releases do."""
    version = str(fields.get("service.version", ""))
    if not (version.isascii() and version.isdecimal() and len(version) <= _DIGITS):
        return {}
    del fields["service.version"]
    return {"release": int(version)}
