"""What of many objects is a record's time, message and origin: `documents.record`, by columns.

The records are the same ones. A value that is taken leaves its column; what stays are fields.
"""

from collections.abc import Callable, Sequence

import polars as pl

from dayfly.logs.intake.documents import MESSAGES, PLACES, RSYSLOG, whole
from dayfly.logs.intake.layout import Column, Columns, UnfitError
from dayfly.logs.parsing import objects, times
from dayfly.logs.parsing.parsed import UTC
from dayfly.logs.record import Value
from dayfly.logs.store.frame import frame_from

Values = list[Value | None]  # one for each row
Meaning = Callable[[Column], Values]
_NONE = type(None)
_LEAST, _MOST = 10**17, 9 * 10**18  # whole numbers that are nanoseconds


def fill(columns: Columns, names: Sequence[str], found: Values, meaning: Meaning) -> Values:
    """Give rows without a value what the first name means that means something there."""
    for name in names:
        if name not in columns:
            continue
        nothing = found.count(None)
        if not nothing:
            break
        column = columns.pop(name)
        meant = meaning(column)
        taken = meant
        if nothing < len(found):
            taken = [new if old is None else None for old, new in zip(found, meant, strict=True)]
            found = [new if old is None else old for old, new in zip(found, meant, strict=True)]
        else:
            found = meant
        if None in taken:
            left = [
                value if new is None else None
                for new, value in zip(taken, column.values, strict=True)
            ]
            if (kinds := frozenset(map(type, left))) != {_NONE}:
                columns[name] = Column(left, kinds)
    return found


def as_it_is(column: Column) -> Values:
    return column.values


def as_text(column: Column) -> Values:
    return [value if value is None else str(value) for value in column.values]


def documents_frame(columns: Columns, documents: Sequence[bytes], now: int) -> pl.DataFrame:
    """`documents.record_of` of each."""
    _rename(columns)
    nothing: Values = [None] * len(documents)
    return frame(columns, now, lambda row: whole(documents[row]), nothing, nothing)


def _rename(columns: Columns) -> None:
    """What rsyslog calls otherwise; UnfitError where it is of some documents only."""
    if columns.keys().isdisjoint(RSYSLOG):
        return
    if not columns.keys().isdisjoint(objects.TIMES):
        raise UnfitError
    for theirs, ours in RSYSLOG.items():
        if theirs in columns:
            before = columns.pop(ours, None)
            values: Values = before.values if before else [None] * len(columns[theirs].values)
            filled = fill(columns, (theirs,), values, as_it_is)
            columns[ours] = Column(filled, frozenset(map(type, filled)))


def frame(
    columns: Columns, now: int, text_of: Callable[[int], str], said: Values, at: Values
) -> pl.DataFrame:
    """Records of columns that nobody else needs.

    `said` are messages and `at` times of rows that have one already; `now` is the time of a row
    without, and `text_of` the whole of a row, which is its message when there is no other.
    """
    found = fill(columns, objects.TIMES, at, told)
    levels = fill(columns, objects.LEVELS, [None] * len(at), _levels)
    attributes: dict[str, Values] = {
        "time": [now if time is None else time for time in found],
        "message": _messages(columns, said, text_of),
        "level": ["" if level is None else level for level in levels],
        **_origins(columns, len(at)),
    }
    return frame_from(attributes, columns, len(at))


def told(column: Column) -> Values:
    """Times that values tell, as `times.told` reads them."""
    values = column.values
    if column.kinds == {int} and min(values) >= _LEAST and max(values) <= _MOST:  # type: ignore[type-var, operator]
        return values
    return [None if value is None else times.told(value, UTC) for value in values]


def _levels(column: Column) -> Values:
    """There are few words for them."""
    known = {word: objects.level_of(word) for word in set(column.values) if isinstance(word, str)}
    return [
        (known[value] if isinstance(value, str) else objects.level_of(value)) or None
        if value is not None
        else None
        for value in column.values
    ]


def _lines(column: Column) -> Values:
    return [value.rstrip("\n") if isinstance(value, str) else None for value in column.values]


def _messages(columns: Columns, said: Values, text_of: Callable[[int], str]) -> Values:
    found = fill(columns, objects.MESSAGES, said, _lines)
    if all(found):
        return found
    found = fill(columns, MESSAGES, [message or None for message in found], _OF_KIND[str])
    return [text_of(row) if message is None else message for row, message in enumerate(found)]


def _origins(columns: Columns, rows: int) -> dict[str, Values]:
    """Values of the right kind; of several the first that says something counts."""
    found: dict[str, Values] = {}
    for name in sorted(columns.keys() & PLACES.keys(), key=PLACES.__getitem__):
        _, ours, kind = PLACES[name]
        before: Values = [None] * rows
        if ours in found:
            before = [value or None for value in found[ours]]
        found[ours] = fill(columns, (name,), before, _OF_KIND[kind])
    return {
        name: [_NOTHING[name] if value is None else value for value in values]
        for name, values in found.items()
    }


def _of_kind(kind: type) -> Meaning:
    def meaning(column: Column) -> Values:
        if column.kinds <= {kind, _NONE}:
            return column.values
        return [value if type(value) is kind else None for value in column.values]

    return meaning


_OF_KIND: dict[type, Meaning] = {kind: _of_kind(kind) for kind in (str, int)}
_NOTHING = {ours: kind() for _, ours, kind in PLACES.values()}
