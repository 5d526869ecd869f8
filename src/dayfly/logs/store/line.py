"""One line of the wire and of the write-ahead log, read into a value."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from dayfly import typed
from dayfly.logs.parsing.apart import breaks
from dayfly.logs.parsing.levels import of_number, of_word
from dayfly.logs.parsing.loose import BROKEN, decoded
from dayfly.logs.query.meaning import text_of
from dayfly.logs.query.values import LEVELS
from dayfly.logs.record import Record, Value
from dayfly.logs.store.problems import BodyError

_LEAST, _MOST = -(2**63), 2**63 - 1
Whole = Annotated[int, msgspec.Meta(ge=_LEAST, le=_MOST)]
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?([Zz]|[+-]\d\d:?\d\d)?")
_DATE = len("2026-11-28")  # its first moment is meant
_OURS = frozenset(("", *LEVELS))
SHOWN = 80  # characters of a line in a message


class Line(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    time: Whole
    message: str
    app: str = ""
    release: Whole = 0
    machine: str = ""
    host: str = ""
    process: str = ""
    stream: str = ""
    level: str = ""
    fields: dict[str, str | Whole | float | bool] = {}


_decoder = typed.decoder(Line)
_encoder = msgspec.json.Encoder()


def written(lines: Sequence[Line]) -> bytes:
    """What `read` reads."""
    return _encoder.encode_lines(lines)


class UntimedError(BodyError):
    """A line tells no time."""


def read(body: bytes, now: int | None = None) -> list[Line]:
    """The lines of a body; BodyError names the first line that is no record.

    `now` is the time of those that tell none; without it they are an UntimedError.
    """
    try:
        lines = _decoder.decode_lines(body)
        for line in lines:
            if line.level not in _OURS:
                line.level = _level(line.level)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        told = enumerate(body.split(b"\n"), 1)
        return [_one(number, text, now) for number, text in told if text.strip()]
    else:
        return lines


def read_apart(body: bytes, now: int | None = None) -> list[Line]:
    """The same of what somebody sends: one in each line, as who reads it later counts them."""
    lines = read(body, now)
    if breaks(body) + 1 == len(lines):
        return lines
    told = enumerate(body.split(b"\n"), 1)
    return [_one(number, text, now) for number, text in told if text.strip()]


def numbered(body: bytes) -> Iterator[tuple[int, Record]]:
    """The records of a body that was taken, each with the number of its line."""
    for number, line in enumerate(body.split(b"\n"), 1):
        if line.strip():
            yield number, _record(_one(number, line))


def blanked(body: bytes, unwanted: Callable[[Record], bool]) -> bytes:
    """A body without some of its records; the others keep the numbers of their lines."""
    lines = body.split(b"\n")
    for number, record in numbered(body):
        if unwanted(record):
            lines[number - 1] = b""
    return b"\n".join(lines)


def _one(number: int, text: bytes, now: int | None = None) -> Line:
    try:
        line = _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        line = _read_one(number, text, now)
    if line.level not in _OURS:
        line.level = _level(line.level)
    return line


def _level(word: str) -> str:
    """Ours, where it is a word of another logger; as a query without quotes says it otherwise."""
    return of_word(word) or word.strip().lower()


def line_of(record: Record) -> Line:
    return Line(
        record.time,
        record.message,
        record.app,
        record.release,
        record.machine,
        record.host,
        record.process,
        record.stream,
        record.level,
        dict(record.fields),
    )


def _record(line: Line) -> Record:
    return Record(
        time=line.time,
        message=line.message,
        app=line.app,
        release=line.release,
        machine=line.machine,
        host=line.host,
        process=line.process,
        stream=line.stream,
        level=line.level,
        fields=line.fields,
    )


def _read_one(number: int, line: bytes, now: int | None) -> Line:
    try:
        return _forgiving(typed.converted(decoded(line), dict[str, Any]), now)
    except BROKEN as error:
        shown = line[:SHOWN].decode(errors="replace")
        raise BodyError(
            f"line {number} is no record: {error}: {shown}",
            hint='A record is one JSON object, with at least a "message".',
        ) from error


def _forgiving(raw: dict[str, Any], now: int | None) -> Line:
    """Unknown names are fields, null is as if it were not there, a time may be ISO 8601.

    A number may stand for a text, and a text for a release.
    """
    known: dict[str, Any] = {}
    fields: dict[str, Value] = {}
    for name, value in raw.items():
        if name in Line.__struct_fields__ and name != "fields":
            known[name] = value
        elif name != "fields":
            fields |= _flat(name, value)
    nested = raw.get("fields") or {}
    if not isinstance(nested, dict):
        raise ValueError(f"fields is {nested!r}, not an object")  # noqa: TRY004 - as for the rest
    for name, value in nested.items():
        fields |= _flat(name, value)
    if type(known.get("level")) in (int, float):
        known["level"] = of_number(known["level"]) or text_of(known["level"])
    told = {name: _meant(name, value) for name, value in known.items() if value is not None}
    told["time"] = _time(told.get("time"), now)
    return typed.converted({**told, "fields": fields}, Line)


def _meant(name: str, value: object) -> object:
    """Of an attribute, whose type senders don't always know."""
    if name in ("time", "release"):
        if isinstance(value, float) and value.is_integer():
            return int(value)
        digits = name == "release" and isinstance(value, str) and value.isdecimal()
        return int(str(value)) if digits else value
    return text_of(value) if isinstance(value, int | float) and name != "message" else value


def _time(told: object, now: int | None) -> object:
    if told is None or told == "":
        if now is None:
            raise UntimedError("a line tells no time")
        return now
    return nanoseconds(told) if isinstance(told, str) else told


def _flat(name: str, value: object) -> dict[str, Value]:
    """A field's value; what is nested gets names with dots, lists become their JSON."""
    if isinstance(value, dict):
        flat: dict[str, Value] = {}
        for inner, deeper in value.items():
            flat |= _flat(f"{name}.{inner}", deeper)
        return flat
    if value is None:
        return {}
    if isinstance(value, int) and not _LEAST <= value <= _MOST:
        return {name: str(value)}
    if isinstance(value, str | int | float | bool):
        return {name: value}
    return {name: json.dumps(value, ensure_ascii=False, separators=(",", ":"))}


def nanoseconds(text: str) -> int:
    """An ISO 8601 time, whose fraction may go beyond microseconds; without a zone it is UTC.

    >>> nanoseconds("1970-01-01T00:00:01.000000002Z")
    1000000002
    """
    found = _TIME.fullmatch(f"{text}T00:00" if len(text) == _DATE else text)
    if not found:
        raise ValueError(f"{text!r} is no ISO 8601 time")
    seconds, fraction, zone = found.groups()
    moment = datetime.fromisoformat((seconds + (zone or "+00:00")).upper())
    whole = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // _SECOND
    return whole * 1_000_000_000 + int(((fraction or "") + "0" * 9)[:9])


_SECOND = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
