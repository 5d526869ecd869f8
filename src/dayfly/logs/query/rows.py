"""What a pipe makes of records, said as plainly as can be; the store is tested against it."""

from collections.abc import Callable, Iterable, Sequence

from dayfly.clock import SECOND
from dayfly.logs.query import instants, tree
from dayfly.logs.query.meaning import group_text, is_number, value_of
from dayfly.logs.query.shape import shape
from dayfly.logs.record import Record, Value

Row = dict[str, Value | None]
Group = tuple[str | None, ...]


def rows(pipe: tree.Pipe, records: Iterable[Record]) -> list[Row]:
    """One row for each group. A record without a field that is counted by has null for it."""
    found = list(records)
    match pipe:
        case tree.Count(by, every):
            return _counted(found, by, every)
        case tree.Top(number, name):
            having = [record for record in found if value_of(record, name) is not None]
            return _counted(having, (name,), None)[:number]
        case tree.Percentile(percent, name, by):
            return _percentiles(found, percent, name, by)
        case tree.Patterns():
            return _patterns(found)
        case tree.Select(names):
            return [dict(zip(names, _values(record, names), strict=True)) for record in found]


def columns(pipe: tree.Pipe) -> list[str]:
    """The names of a row, also where there is none."""
    match pipe:
        case tree.Count(by, every):
            names = (*(() if every is None else ("time",)), *by, "count")
        case tree.Top(_, name):
            names = (name, "count")
        case tree.Percentile(_, _, by):
            names = (*by, title(pipe), "count")
        case tree.Patterns():
            names = ("count", "first", "last", "pattern")
        case tree.Select(names):
            pass
    return list(dict.fromkeys(names))


def title(percentile: tree.Percentile) -> str:
    """The name of its column: p99, p99.9."""
    return f"p{percentile.percent:.6f}".rstrip("0").rstrip(".")


def _counted(found: Sequence[Record], by: tuple[str, ...], every: float | None) -> list[Row]:
    """The most frequent first; with `every` by time, and in each stretch the most frequent."""
    if every is None:
        return _by_count(found, by)
    length = round(every * SECOND)
    stretches = _grouped(found, lambda record: (f"{record.time // length * length:+020d}",))
    return [
        {"time": instants.iso(int(begin or "")), **row}
        for (begin,), inside in sorted(stretches.items(), key=lambda item: int(item[0][0] or ""))
        for row in _by_count(inside, by)
    ]


def _by_count(found: Sequence[Record], by: tuple[str, ...]) -> list[Row]:
    groups = _grouped(found, lambda record: _key(record, by))
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), _order(item[0])))
    if not by and not ordered:
        return [{"count": 0}]
    return [{**_named(inside[0], by), "count": len(inside)} for _, inside in ordered]


def _percentiles(
    found: Sequence[Record], percent: float, name: str, by: tuple[str, ...]
) -> list[Row]:
    """The smallest value that at least so many percent don't exceed; texts don't count."""
    having = [record for record in found if is_number(value_of(record, name))]
    groups = sorted(_grouped(having, lambda r: _key(r, by)).items(), key=lambda g: _order(g[0]))
    column = title(tree.Percentile(percent, name))
    return [
        {**_named(inside[0], by), column: _percentile(inside, percent, name), "count": len(inside)}
        for _, inside in groups
    ]


def _percentile(inside: Sequence[Record], percent: float, name: str) -> Value | None:
    ordered = sorted(value_of(record, name) for record in inside)  # type: ignore[type-var]
    return ordered[max(0, int(-(-len(ordered) * percent // 100)) - 1)]


def _patterns(found: Sequence[Record]) -> list[Row]:
    groups = _grouped(found, lambda record: (shape(record.message),))
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0][0] or ""))
    return [
        {
            "count": len(inside),
            "first": instants.iso(min(record.time for record in inside)),
            "last": instants.iso(max(record.time for record in inside)),
            "pattern": pattern,
        }
        for (pattern,), inside in ordered
    ]


def _grouped(found: Sequence[Record], key: Callable[[Record], Group]) -> dict[Group, list[Record]]:
    groups: dict[Group, list[Record]] = {}
    for record in found:
        groups.setdefault(key(record), []).append(record)
    return groups


def _key(record: Record, by: tuple[str, ...]) -> Group:
    """Equal texts and numbers are one group, whether they were numbers or not."""
    values = (value_of(record, name) for name in by)
    return tuple(None if value is None else group_text(value) for value in values)


def _order(group: Group) -> list[tuple[bool, str]]:
    return [(text is None, text or "") for text in group]


def _named(record: Record, by: tuple[str, ...]) -> Row:
    return dict(zip(by, _values(record, by), strict=True))


def _values(record: Record, names: tuple[str, ...]) -> list[Value | None]:
    return [
        instants.iso(record.time) if name == "time" else value_of(record, name) for name in names
    ]
