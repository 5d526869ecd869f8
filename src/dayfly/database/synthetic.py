"""Values for synthetic rows, in the text form that PostgreSQL reads for each type."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_STRINGS = frozenset({"text", "varchar", "bpchar", "citext", "name", "char"})
# `{n}` is the row's number, `{m}` the one after it.
_FORMS = {
    "uuid": "00000000-0000-4000-8000-{n:012d}",
    "date": "2024-01-{n:02d}",
    "timestamp": "2024-01-{n:02d} 12:00:00",
    "timestamptz": "2024-01-{n:02d} 12:00:00+00",
    "time": "{n:02d}:00:00",
    "timetz": "{n:02d}:00:00+00",
    "interval": "{n} days",
    "bytea": "\\x{n:02x}",
    "json": "{{}}",
    "jsonb": "{{}}",
    "jsonpath": "$",
    "inet": "10.0.0.{n}",
    "cidr": "10.0.{n}.0/24",
    "macaddr": "02:00:00:00:00:{n:02x}",
    "macaddr8": "02:00:00:00:00:00:00:{n:02x}",
    "tsvector": "word{n}",
    "tsquery": "word{n}",
    "xml": "<row/>",
    "point": "({n},{n})",
    "line": "{{1,1,{n}}}",
    "lseg": "[(0,0),(1,{n})]",
    "box": "(1,{m}),(0,{n})",
    "path": "((0,0),(1,{n}))",
    "polygon": "((0,0),(1,{n}),(1,0))",
    "circle": "<(0,0),{n}>",
    "int4range": "[{n},{m})",
    "int8range": "[{n},{m})",
    "numrange": "[{n},{m})",
    "daterange": "[2024-01-{n:02d},2024-01-{m:02d})",
    "tsrange": "[2024-01-{n:02d},2024-01-{m:02d})",
    "tstzrange": "[2024-01-{n:02d} 00:00+00,2024-01-{m:02d} 00:00+00)",
    "pg_lsn": "0/{n}",
    "tid": "(0,{n})",
    "regclass": "pg_class",
    "regtype": "text",
    "hstore": "row=>{n}",
    **{f"{name}multirange": "{{}}" for name in ("int4", "int8", "num", "date", "ts", "tstz")},
    "ltree": "row{n}",
    "geometry": "POINT({n} {n})",
    "geography": "POINT({n} {n})",
}
_OTHERS = {"R": "empty"}  # by category
_TEXTS = (
    "a@example.org", "A", "a", "AA", "AAA", "aa", "aaa", "abc-1", "1", "01", "12345", "1234567890",
    "+4930123456", "https://example.org/", "#aabbcc", "en", "en-us", "de_DE", "A1", "a_1",
    "00000000-0000-4000-8000-000000000001", "2024-01-01", "{}", "x" * 8, "x" * 16, "x" * 32,
    "x" * 40, "x" * 64, "127.0.0.1", "",
)  # fmt: skip
_COMMON = {
    "B": ("t", "f"),
    "D": ("2024-01-01", "2024-06-01", "2100-01-01", "1970-01-01", "infinity"),
}
_JSON = ("{}", "[]", '{"a": 1}', "null")
_RANGE = re.compile(r"FOR VALUES FROM \((?P<low>.*)\) TO \((?P<high>.*)\)$")
_LIST = re.compile(r"FOR VALUES IN \((?P<first>'(?:[^']|'')*'|[^,)]+)")
_CONSTANT = re.compile(r"'((?:[^']|'')*)'|(-?\b\d+(?:\.\d+)?\b)")
MOST_CONSTANTS = 24
LONGEST = 500  # text


@dataclass(frozen=True, kw_only=True)
class Type:
    """A type as a column uses it; domains are resolved to what they are based on."""

    name: str
    category: str  # pg_type.typcategory
    modifier: int = -1
    labels: tuple[str, ...] = ()  # of an enum
    element: "Type | None" = None  # of an array
    fields: tuple["Type", ...] = ()  # of a composite type


def value(kind: Type, number: int) -> str | None:
    """The value of row `number`; different for different numbers where the type allows it."""
    if kind.labels:
        return kind.labels[(number - 1) % len(kind.labels)]
    if kind.element:
        return _array(value(kind.element, number))
    if kind.fields:
        return _composite([value(part, number) for part in kind.fields])
    return _text(kind, number) if kind.name in _STRINGS else _other(kind, number)


def candidates(kind: Type, rule: str) -> list[str]:
    """What may satisfy a check: its own constants and their neighbours, then common forms."""
    found = _CONSTANT.findall(rule)[:MOST_CONSTANTS]
    quoted = [text.replace("''", "'") for text, _ in found if text]
    numbers = [number for _, number in found if number]
    match kind.category:
        case "N":
            return [*_near([*numbers, *quoted]), "0", "1", "-1", "2", "10", "100", "0.5"]
        case "S":
            sized = ["x" * int(n) for n in numbers if n.isdigit() and int(n) <= LONGEST]
            return [*quoted, *sized, *numbers, *_TEXTS]
        case "E":
            return list(kind.labels)
        case "A":
            return ["{}", *(_array(text) for text in quoted)]
        case _:
            return [*quoted, *_COMMON.get(kind.category, _JSON)]


def _near(texts: Sequence[str]) -> list[str]:
    numbers = [_number(text) for text in texts if _is(text)]
    return [str(number + step) for number in numbers for step in (0, 1, -1)]


def inside(bound: str, columns: Sequence[str]) -> dict[str, str | None] | None:
    """Values that a partition takes, from its bound; None where it is beyond us.

    Into which partition a hash falls only the server knows: any value may do.
    """
    listed, ranged = _LIST.match(bound), _RANGE.match(bound)
    if listed and columns:
        return {columns[0]: _plain(listed["first"])}
    if ranged is None:
        return {}
    lows = [_plain(text) for text in ranged["low"].split(", ")]
    if len(lows) != len(columns) or "MINVALUE" in lows:
        return None
    return dict(zip(columns, lows, strict=True))


def _plain(literal: str) -> str | None:
    text = literal.strip()
    if text == "NULL":
        return None
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


def _text(kind: Type, number: int) -> str:
    length = 1 if kind.name == "char" else kind.modifier - 4 if kind.modifier > 4 else 63  # noqa: PLR2004 - PostgreSQL's header
    text = f"row {number}"
    return text if len(text) <= length else str(number)[-length:]


def _other(kind: Type, number: int) -> str:
    if kind.name == "bool":
        return "tf"[(number - 1) % 2]
    if kind.name == "numeric":
        return _numeric(kind.modifier, number)
    if kind.name in {"bit", "varbit"}:
        return format(number, "b").zfill(max(kind.modifier, 1))[-max(kind.modifier, 1) :]
    if kind.name == "vector":
        return f"[{','.join([str(number)] * max(kind.modifier, 1))}]"
    form = _FORMS.get(kind.name, _OTHERS.get(kind.category, "{n}"))
    return form.format(n=number, m=number + 1)


def _numeric(modifier: int, number: int) -> str:
    if modifier < 0:
        return str(number)
    precision, scale = ((modifier - 4) >> 16) & 0xFFFF, (modifier - 4) & 0x7FF
    return str(number) if precision > scale else f"0.{str(number).zfill(scale)}"[: 2 + precision]


def _array(element: str | None) -> str:
    return "{}" if element is None else "{" + _quoted(element) + "}"


def _composite(parts: Sequence[str | None]) -> str:
    return "(" + ",".join("" if part is None else _quoted(part) for part in parts) + ")"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _is(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def _number(text: str) -> float | int:
    return float(text) if "." in text else int(text)
