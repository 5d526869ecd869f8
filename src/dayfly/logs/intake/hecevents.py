"""Events of Splunk's HTTP Event Collector as lines of ours."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from msgspec import structs

from dayfly.clock import SECOND
from dayfly.errors import DayflyError
from dayfly.logs.intake.documents import line, message_of
from dayfly.logs.parsing import loose, times
from dayfly.logs.parsing.line import read, text_of
from dayfly.logs.parsing.objects import flat, of_fields
from dayfly.logs.parsing.parsed import Known
from dayfly.logs.record import Value

NO_DATA, WRONG, MISSING, BLANK, FIELDS = 5, 6, 12, 13, 15  # Splunk's codes
_WRONG = "Invalid data format"
_META = ("time", "event", "host", "source", "fields")
_CONTAINER = ("stdout", "stderr")
_LARGEST, _RANGE = 9 * 10**9, 2**63  # seconds that are one, and nanoseconds that fit
_DIGITS = 40
_SPACE = re.compile(r"\s*")
Fields = dict[str, Value]


class EventError(DayflyError):
    """An event is wrong; none of its request was taken."""

    def __init__(self, code: int, message: str, number: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.number = number


def events(body: bytes, about: Mapping[str, str], now: int) -> list[bytes]:
    """Of objects one after the other; `about` is what the address tells of those that don't."""
    made = [_event(told, about, number, now) for number, told in enumerate(_objects(body))]
    if not made:
        raise EventError(NO_DATA, "No data")
    return made


def raw(body: bytes, about: Mapping[str, str], now: int) -> list[bytes]:
    """Of lines; an empty one is none."""
    texts = [text_of(one.rstrip(b"\r")) for one in body.split(b"\n")]
    made = [_event({"event": text}, about, 0, now) for text in texts if text.strip()]
    if not made:
        raise EventError(NO_DATA, "No data")
    return made


def _objects(body: bytes) -> Iterator[Any]:
    """JSON values with or without white space between them."""
    scan, position, number = json.JSONDecoder().raw_decode, 0, 0
    try:
        text = body.decode()
        while (position := _after_space(text, position)) < len(text):
            _, end = scan(text, position)  # where it ends; what it is, a stricter reader says
            yield loose.decoded(text[position:end])
            position, number = end, number + 1
    except loose.BROKEN as error:
        raise EventError(WRONG, _WRONG, number) from error


def _after_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _event(told: Any, about: Mapping[str, str], number: int, now: int) -> bytes:  # noqa: ANN401 - JSON
    if not isinstance(told, dict):
        raise EventError(WRONG, _WRONG, number)
    event = told.get("event")
    if event is None:
        raise EventError(MISSING, "Event field is required", number)
    if event == "":
        raise EventError(BLANK, "Event field cannot be blank", number)
    meta = {**about, **{name: told[name] for name in told.keys() - {"event"}}}
    fields = _fields(meta, number)
    at = _time(meta.get("time"), number)
    names = {name: str(meta.get(name) or "") for name in ("host", "source")}
    if isinstance(event, dict):
        return _object(event, fields, Known(now), at, number, **names)
    return _text(event, fields, Known(now), at, **names)


def _fields(meta: Mapping[str, Any], number: int) -> Fields:
    """Indexed ones, and whatever else an event tells of itself."""
    indexed = meta.get("fields") or {}
    rest = {name: value for name, value in meta.items() if name not in _META}
    fields = flat({**rest, **indexed}) if isinstance(indexed, dict) else None
    if fields is None:
        raise EventError(FIELDS, "Error in handling indexed fields", number)
    return fields


def _time(told: object, number: int) -> int | None:
    """Seconds, as a number or a text."""
    if told is None or told == "":
        return None
    text = str(told)
    try:
        seconds = Decimal(text if len(text) <= _DIGITS and not isinstance(told, bool) else "?")
        if abs(seconds) < _LARGEST:
            return int(seconds * SECOND)
        found = times.of_number(float(seconds))  # it counts something smaller
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise EventError(WRONG, _WRONG, number) from error
    if found is None or not -_RANGE <= found < _RANGE:
        raise EventError(WRONG, _WRONG, number)
    return found


def _text(event: object, fields: Fields, known: Known, at: int | None, **told: str) -> bytes:
    """A line is read as a forwarder reads it, but for a time that was told beside it."""
    text = event if isinstance(event, str) else msgspec.json.encode(event).decode()
    parsed = read(text, known)
    rest: Fields = {**fields, **parsed.fields}
    parsed = structs.replace(parsed, time=parsed.time if at is None else at)
    return line(parsed, rest, known.moment, host=told["host"], stream=told["source"])


def _object(
    event: Mapping[str, Any], fields: Fields, known: Known, at: int | None, number: int, **told: str
) -> bytes:
    """Docker's driver puts a container's line into one, with the stream that it came from."""
    own = flat(event)
    if own is None:
        raise EventError(WRONG, _WRONG, number)
    said, stream = event.get("line"), event.get("source")
    if isinstance(said, str) and stream in _CONTAINER:
        del own["line"], own["source"]
        more = {"source": told["source"]} if told["source"] else {}
        return _text(said, {**fields, **own, **more}, known, at, host=told["host"], source=stream)
    parsed = of_fields(own, "", known)
    rest: Fields = {**fields, **parsed.fields}
    message = parsed.message or message_of(rest, event)
    parsed = structs.replace(parsed, message=message, time=parsed.time if at is None else at)
    return line(parsed, rest, known.moment, host=told["host"], stream=told["source"])
