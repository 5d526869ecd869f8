"""Lines as columns, and columns as records.

A field has one column for each type it came with, named by a letter and the field: `i:status` holds
whole numbers, `f:` floats, `b:` truths, `s:` texts. So a field whose senders don't agree loses
nothing and needs no mapping. Fields beyond the limit share the column `rest`, as JSON.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

import polars as pl

from dayfly import typed
from dayfly.logs.record import NO_FIELDS, Record, Value
from dayfly.logs.store.line import Line

ATTRIBUTES = {
    "time": pl.Int64,
    "message": pl.String,
    "app": pl.String,
    "release": pl.Int64,
    "machine": pl.String,
    "host": pl.String,
    "process": pl.String,
    "stream": pl.String,
    "level": pl.String,
}
REST = "rest"
KINDS = {str: "s", int: "i", float: "f", bool: "b"}
TYPES: dict[str, type[pl.DataType]] = {
    "s": pl.String,
    "i": pl.Int64,
    "f": pl.Float64,
    "b": pl.Boolean,
}
_NOTHING = {
    name: pl.Series(name, ["" if kind is pl.String else 0], dtype=kind)
    for name, kind in ATTRIBUTES.items()
}
MOST_COLUMNS = 250
_fields = typed.decoder(dict[str, str | int | float | bool])


def fields_of(packed: str) -> dict[str, Value]:
    """The fields of `rest`."""
    return dict(_fields.decode(packed))


def frame_of(lines: Sequence[Line]) -> pl.DataFrame:
    columns = [
        pl.Series(name, [getattr(line, name) for line in lines], dtype=kind, strict=True)
        for name, kind in ATTRIBUTES.items()
    ]
    return folded(pl.DataFrame(columns + _field_columns(lines)))


def frame_from(
    attributes: Mapping[str, Sequence[Value | None]],
    fields: Mapping[str, tuple[Sequence[Value | None], AbstractSet[type]]],
    rows: int,
) -> pl.DataFrame:
    """The same of what is in columns already; with the values of a field come their types."""
    columns = [
        pl.Series(name, attributes[name], dtype=kind, strict=True)
        if name in attributes
        else _NOTHING[name].new_from_index(0, rows)
        for name, kind in ATTRIBUTES.items()
    ]
    return folded(pl.DataFrame(columns + list(_of_kinds(fields))))


def _of_kinds(
    fields: Mapping[str, tuple[Sequence[Value | None], AbstractSet[type]]],
) -> Iterator[pl.Series]:
    for name, (values, types) in fields.items():
        found = types - {type(None)}
        for kind in found:
            own = values if len(found) == 1 else [v if type(v) is kind else None for v in values]
            letter = KINDS[kind]
            yield pl.Series(f"{letter}:{name}", own, dtype=TYPES[letter], strict=True)


def _field_columns(lines: Sequence[Line]) -> list[pl.Series]:
    found: dict[tuple[str, type], list[Value | None]] = {}
    total = len(lines)
    for number, line in enumerate(lines):
        for name, value in line.fields.items():
            key = (name, type(value))
            values = found.get(key)
            if values is None:
                values = found[key] = [None] * total
            values[number] = value
    return [
        pl.Series(f"{KINDS[kind]}:{name}", values, dtype=TYPES[KINDS[kind]], strict=True)
        for (name, kind), values in found.items()
    ]


def joined(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """All rows, in order; a column that a frame lacks is null there."""
    if len(frames) == 1:
        return frames[0]
    return folded(pl.concat(frames, how="diagonal"))


def folded(frame: pl.DataFrame) -> pl.DataFrame:
    """The same records with no more columns than allowed: the rarest fields go into `rest`."""
    names = [name for name in frame.columns if ":" in name]
    if len(names) <= MOST_COLUMNS:
        return frame
    counts = frame.select(pl.col(names).count()).row(0)
    ranked = sorted(zip(counts, names, strict=True), reverse=True)
    surplus = [name for _, name in ranked[MOST_COLUMNS:]]
    asked = [*surplus, REST] if REST in frame.columns else surplus
    packed = [_packed(asked, row) for row in frame.select(asked).iter_rows()]
    return frame.drop(asked).with_columns(pl.Series(REST, packed, dtype=pl.String))


def _packed(names: Sequence[str], row: Sequence[Value | None]) -> str | None:
    values: dict[str, Value] = {}
    for name, value in zip(names, row, strict=True):
        if value is not None and name == REST:
            values |= fields_of(str(value))
        elif value is not None:
            values[name[2:]] = value
    return json.dumps(values, ensure_ascii=False) if values else None


def records(frame: pl.DataFrame) -> Iterator[Record]:
    """Every row as the record it was."""
    columns = [name for name in frame.columns if name not in ATTRIBUTES]
    frame = frame.select(*ATTRIBUTES, *columns)
    fields = [name[2:] for name in columns]
    packed = columns.index(REST) if REST in columns else -1
    for row in frame.iter_rows():
        values = row[len(ATTRIBUTES) :]
        told = {
            name: value
            for number, (name, value) in enumerate(zip(fields, values, strict=True))
            if value is not None and number != packed
        }
        if packed >= 0 and values[packed] is not None:
            told |= fields_of(values[packed])
        yield Record(**dict(zip(ATTRIBUTES, row, strict=False)), fields=told or NO_FIELDS)
