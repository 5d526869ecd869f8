"""What of many objects is a record's time, message and origin: `documents.record`, by columns.

The records are the same ones. A value that is taken leaves its column; what stays are fields.
"""

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from dayfly.logs.intake.documents import MESSAGES, PLACES, RSYSLOG, whole
from dayfly.logs.intake.layout import Column, Columns, Texts, UnfitError
from dayfly.logs.parsing import moments, objects, times
from dayfly.logs.parsing.parsed import UTC
from dayfly.logs.record import Value
from dayfly.logs.store.frame import frame_from

Meaning = Callable[[Column], Column]
_NONE = type(None)
# Whole numbers that are certainly seconds, milli-, micro- or nanoseconds.
_SCALES = (
    (10**9, 9 * 10**9, 10**9),
    (10**11, 9 * 10**12, 10**6),
    (10**14, 9 * 10**15, 1000),
    (10**17, 9 * 10**18, 1),
)


def nothing(rows: int) -> Column:
    return Column([None] * rows, frozenset((_NONE,)))


def column_of(values: list[Value | None]) -> Column:
    return Column(values, frozenset(map(type, values)))


def fill(columns: Columns, names: Sequence[str], found: Column, meaning: Meaning) -> Column:
    """Give rows without a value what the first name means that means something there."""
    for name in names:
        if _NONE not in found.kinds:
            break
        if name not in columns:
            continue
        column = columns.pop(name)
        taken = meant = meaning(column)
        if found.kinds == {_NONE}:
            found = meant
        else:
            pairs = list(zip(found.values, meant.values, strict=True))
            taken = column_of([new if old is None else None for old, new in pairs])
            found = column_of([new if old is None else old for old, new in pairs])
        if _NONE in taken.kinds:
            pairs = list(zip(taken.values, column.values, strict=True))
            left = column_of([value if new is None else None for new, value in pairs])
            if left.kinds != {_NONE}:
                columns[name] = left
    return found


def _told(column: Column, otherwise: Value) -> list[Value | None]:
    if _NONE not in column.kinds:
        return column.values
    return [otherwise if value is None else value for value in column.values]


def as_it_is(column: Column) -> Column:
    return column


def as_text(column: Column) -> Column:
    if column.kinds <= {str, _NONE}:
        return column
    return column_of([value if value is None else str(value) for value in column.values])


def documents_frame(columns: Columns, documents: Texts, now: int) -> pl.DataFrame:
    """`documents.record_of` of each."""
    _rename(columns)
    none = nothing(documents.count)
    return frame(columns, now, lambda row: whole(documents.each[row]), none, none)


def _rename(columns: Columns) -> None:
    """What rsyslog calls otherwise; UnfitError where it is of some documents only."""
    if columns.keys().isdisjoint(RSYSLOG):
        return
    if not columns.keys().isdisjoint(objects.TIMES):
        raise UnfitError
    for theirs, ours in RSYSLOG.items():
        if theirs in columns:
            before = columns.pop(ours, None) or nothing(len(columns[theirs].values))
            columns[ours] = fill(columns, (theirs,), before, as_it_is)


def frame(
    columns: Columns, now: int, text_of: Callable[[int], str], said: Column, at: Column
) -> pl.DataFrame:
    """Records of columns that nobody else needs.

    `said` are messages and `at` times of rows that have one already; `now` is the time of a row
    without, and `text_of` the whole of a row, which is its message when there is no other.
    """
    rows = len(at.values)
    attributes = {
        "time": _told(fill(columns, objects.TIMES, at, told), now),
        "level": _told(fill(columns, objects.LEVELS, nothing(rows), _levels), ""),
        "message": _messages(columns, said, text_of),
        **_origins(columns, rows),
    }
    return frame_from(attributes, columns, rows)


def told(column: Column) -> Column:
    """Times that values tell, as `times.told` reads them."""
    values: list[Any] = column.values
    if column.kinds == {int}:
        least, most = min(values), max(values)
        for begin, end, factor in _SCALES:
            if begin <= least and most < end:
                return column if factor == 1 else column_of([each * factor for each in values])
    if column.kinds == {str}:
        return column_of([*moments.told(values)])
    return column_of([None if value is None else times.told(value, UTC) for value in values])


def _levels(column: Column) -> Column:
    """There are few words for them."""
    if not column.kinds <= {str, _NONE}:
        return column_of(
            [
                objects.level_of(value) or None if value is not None else None
                for value in column.values
            ]
        )
    known = {word: objects.level_of(str(word)) or None for word in set(column.values) - {None}}
    return column_of([known.get(word) for word in column.values])


def _messages(columns: Columns, said: Column, text_of: Callable[[int], str]) -> list[Value | None]:
    found = fill(columns, objects.MESSAGES, said, _lines)
    if _NONE not in found.kinds and all(found.values):
        return found.values
    some = column_of([message or None for message in found.values])
    found = fill(columns, MESSAGES, some, _OF_KIND[str])
    return [text_of(row) if text is None else text for row, text in enumerate(found.values)]


def _lines(column: Column) -> Column:
    return column_of([v.rstrip("\n") if isinstance(v, str) else None for v in column.values])


def _origins(columns: Columns, rows: int) -> dict[str, list[Value | None]]:
    """Values of the right kind; of several the first that says something counts."""
    found: dict[str, Column] = {}
    for name in sorted(columns.keys() & PLACES.keys(), key=PLACES.__getitem__):
        _, ours, kind = PLACES[name]
        before = nothing(rows)
        if ours in found:
            before = column_of([value or None for value in found[ours].values])
        found[ours] = fill(columns, (name,), before, _OF_KIND[kind])
    return {ours: _told(column, _NOTHING[ours]) for ours, column in found.items()}


def _of_kind(kind: type) -> Meaning:
    def meaning(column: Column) -> Column:
        if column.kinds <= {kind, _NONE}:
            return column
        return column_of([value if type(value) is kind else None for value in column.values])

    return meaning


_OF_KIND: dict[type, Meaning] = {kind: _of_kind(kind) for kind in (str, int)}
_NOTHING = {ours: kind() for _, ours, kind in PLACES.values()}
