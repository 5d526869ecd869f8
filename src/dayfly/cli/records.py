"""Records of the log store as lines for a person."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dayfly.cli.output import clean, paint, table
from dayfly.logs.query import instants, marks, patterns, tree

_LEVELS = {"critical": "bad", "error": "bad", "warning": "warn", "debug": "dim"}
_MARKS = "\ue000", "\ue001"  # of a private area; a message cannot bring its own
_LEVEL_WIDTH = len("critical")

Mark = Callable[[str], str]


def marker(query: tree.Query) -> Mark:
    """Paints in a message what the query asked for there."""
    wanted = marks.pattern(query.where)
    if not wanted:
        return str
    begin, end = _MARKS

    def mark(message: str) -> str:
        plain = message.replace(begin, "").replace(end, "")
        found = patterns.marked(wanted, plain, begin, end)
        pieces = found.replace(end, begin).split(begin)
        return "".join(paint("accent", p) if n % 2 else p for n, p in enumerate(pieces))

    return mark


def record_line(record: Mapping[str, Any], mark: Mark) -> str:
    """Time to the millisecond in UTC, level, where it came from, message, fields."""
    level = clean(record["level"])
    parts = [
        paint("dim", instants.to_the_millisecond(clean(record["time"]))),
        paint(_LEVELS.get(level, "strong"), level) + " " * (_LEVEL_WIDTH - len(level)),
        paint("dim", _origin(record)),
        mark(clean(record["message"])),
        paint("dim", _fields(record["fields"])),
    ]
    return " ".join(part for part in parts if part).rstrip()


def table_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a pipe made."""
    names = list(rows[0]) if rows else []
    body = [[_cell(row[name]) for name in names] for row in rows]
    return table(body, head=[clean(name) for name in names]) if names else []


def _origin(record: Mapping[str, Any]) -> str:
    where = record["machine"] or record["host"]
    app = f"{record['app']}.{record['release']}" if record["release"] else record["app"]
    return clean(" ".join(word for word in (app, where, record["stream"]) if word))


def _fields(fields: Mapping[str, Any]) -> str:
    return " ".join(f"{clean(name)}={_cell(value)}" for name, value in fields.items())


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return str(value).lower() if isinstance(value, bool) else clean(str(value))
