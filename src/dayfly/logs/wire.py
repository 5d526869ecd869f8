"""Records and rows as they are sent to who asked: newline JSON and CSV."""

import csv
import io
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from dayfly.logs.query.instants import iso
from dayfly.logs.query.meaning import text_of, value_of
from dayfly.logs.record import Record

NAMES = (
    "time", "app", "release", "machine", "host", "process", "stream", "level", "message", "fields",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_encode = msgspec.json.Encoder().encode


def plain(record: Record) -> dict[str, Any]:
    """All of a record; `time` in RFC 3339."""
    found = {name: getattr(record, name) for name in NAMES}
    return found | {"time": iso(record.time), "fields": dict(record.fields)}


def chosen(record: Record, names: Sequence[str]) -> dict[str, Any]:
    """Some attributes and fields; null for what the record does not have."""
    return {name: iso(record.time) if name == "time" else value_of(record, name) for name in names}


def json_line(value: object) -> bytes:
    return _encode(value) + b"\n"


def csv_line(cells: Sequence[Any]) -> bytes:
    """Quoted where it must be; true and false as in JSON, fields as JSON, nothing for null.

    A text that a spreadsheet would take for a formula has a `'` before it: log lines are written
    by anybody. A line that begins with `#` without a quote is none of these.
    """
    file = io.StringIO(newline="")
    texts = [_cell(cell) for cell in cells]
    csv.writer(file).writerow(texts)
    line = file.getvalue()
    if line.startswith("#"):  # so it was not quoted, and has no quotes in it
        line = f'"{texts[0]}"{line.removeprefix(texts[0])}'
    return line.encode(errors="replace")


def _cell(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, dict):
        return _encode(cell).decode()
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell
    return text_of(cell) if isinstance(cell, int | float) else str(cell)
