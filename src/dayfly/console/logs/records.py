"""Records as the rows of a page: cut to what a person reads, matches marked."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from dayfly.console.logs.narrowing import condition
from dayfly.console.logs.view import COUNTABLE
from dayfly.logs.query import marks, patterns, tree
from dayfly.logs.query.meaning import text_of
from dayfly.logs.record import STREAM, digest_of
from dayfly.shown import plain

LONGEST_MESSAGE, LONGEST_VALUE, MOST_FIELDS = 8_000, 500, 60
AROUND = "/logs/around"
_ATTRIBUTES = ("app", "release", "machine", "host", "process", "stream", "level")
ALWAYS = (*_ATTRIBUTES, "time", "message")  # never counted on demand
_TONES = {"critical": "bad", "error": "bad", "warning": "warm", "info": "good", "debug": "calm"}
_MARKS = "\ue000", "\ue001"  # of a private area; a message cannot bring its own

Mark = Callable[[str], list["Piece"]]


@dataclass(frozen=True)
class Piece:
    text: str
    hit: bool


@dataclass(frozen=True, kw_only=True)
class Named:
    """A field of a record, and the condition that finds all with this value."""

    name: str
    value: str
    condition: str
    countable: bool  # its values can be counted beside the records


@dataclass(frozen=True, kw_only=True)
class Row:
    id: str
    time: str
    level: str
    origin: str
    pieces: list[Piece]
    left_out: int  # characters of the message, and fields
    fields_left_out: int
    release: int
    fields: list[Named]
    around: str


@dataclass
class Rows:
    """Makes rows; equal records get different ids, and the same ones each time."""

    mark: Mark
    _seen: Counter[str] = field(default_factory=Counter)

    def row(self, line: str, record: Mapping[str, Any]) -> Row:
        digest = digest_of(line)
        self._seen[digest] += 1
        message = str(record["message"])
        fields = record["fields"]
        return Row(
            id=f"r{digest}-{self._seen[digest]}",
            time=str(record["time"]),
            level=str(record["level"]),
            origin=_origin(record),
            pieces=self.mark(message[:LONGEST_MESSAGE]),
            left_out=max(0, len(message) - LONGEST_MESSAGE),
            fields_left_out=max(0, len(fields) - MOST_FIELDS),
            release=int(record["release"] or 0),
            fields=_fields(record, fields),
            around=around(record),
        )


def marker(where: tree.Node) -> Mark:
    """Cuts a message into what the query asked for there and the rest."""
    wanted = marks.pattern(where)
    begin, end = _MARKS

    def mark(message: str) -> list[Piece]:
        clean = plain(message).replace(begin, "").replace(end, "")
        found = patterns.marked(wanted, clean, begin, end) if wanted else clean
        pieces = found.replace(end, begin).split(begin)
        return [Piece(text, bool(n % 2)) for n, text in enumerate(pieces) if text]

    return mark


def around(record: Mapping[str, Any]) -> str:
    """The address of the lines around. A message may be a megabyte, so it is told by its digest."""
    stands = {name: record[name] for name in ("time", *STREAM) if record[name]}
    return f"{AROUND}?{urlencode(stands | {'digest': digest_of(str(record['message']))})}"


def tone(level: object) -> str:
    """The class that colours a level; a level that nobody knows has none of its own."""
    return _TONES.get(str(level), "calm")


def cell(value: object) -> str:
    """A value of a row, cut."""
    match value:
        case None:
            text = "—"
        case str() | int() | float():
            text = text_of(value)
        case _:
            text = str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _fields(record: Mapping[str, Any], fields: Mapping[str, Any]) -> list[Named]:
    told = [(name, record[name]) for name in _ATTRIBUTES if record[name]]
    told += list(fields.items())[:MOST_FIELDS]
    return [
        Named(
            name=cell(name),
            value=cell(value),
            condition=_condition(name, value),
            countable=name not in ALWAYS and bool(COUNTABLE.fullmatch(name)),
        )
        for name, value in told
    ]


def _condition(name: str, value: object) -> str:
    return condition(name, value) if isinstance(value, str | int | float | bool) else ""


def _origin(record: Mapping[str, Any]) -> str:
    where = record["machine"] or record["host"]
    app = f"{record['app']}.{record['release']}" if record["release"] else record["app"]
    return " ".join(str(word) for word in (app, where, record["stream"]) if word)
