"""What a query means, as values: which records, and what to make of them."""

from dataclasses import dataclass
from typing import Literal

from dayfly.logs.record import Value

Operator = Literal["=", "!=", ">", ">=", "<", "<="]


@dataclass(frozen=True)
class Everything:
    pass


@dataclass(frozen=True)
class Word:
    """A whole token of the message, case-insensitive; tokens are runs of letters, digits and _."""

    text: str


@dataclass(frozen=True)
class Prefix:
    """The beginning of a token."""

    text: str


@dataclass(frozen=True)
class Phrase:
    """A substring of the message, case-insensitive."""

    text: str


@dataclass(frozen=True)
class Regex:
    """Searched in the message, case-sensitive unless it begins with `(?i)`."""

    pattern: str


@dataclass(frozen=True)
class Compare:
    """`name` is a Record attribute or a field; a record without it matches nothing.

    A number on both sides compares as numbers, else as texts.
    """

    name: str
    op: Operator
    value: Value


@dataclass(frozen=True)
class Starts:
    name: str
    text: str


@dataclass(frozen=True)
class Matches:
    """A regular expression, searched in the value."""

    name: str
    pattern: str


@dataclass(frozen=True)
class Exists:
    name: str


@dataclass(frozen=True)
class And:
    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Or:
    parts: tuple["Node", ...]


@dataclass(frozen=True)
class Not:
    part: "Node"


Node = (
    Everything
    | Word
    | Prefix
    | Phrase
    | Regex
    | Compare
    | Starts
    | Matches
    | Exists
    | And
    | Or
    | Not
)


@dataclass(frozen=True)
class Count:
    by: tuple[str, ...] = ()
    every: float | None = None  # seconds


@dataclass(frozen=True)
class Top:
    number: int
    name: str


@dataclass(frozen=True)
class Percentile:
    percent: float
    name: str
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Patterns:
    """Messages grouped by their shape."""


@dataclass(frozen=True)
class Select:
    names: tuple[str, ...]


Pipe = Count | Top | Percentile | Patterns | Select


@dataclass(frozen=True)
class Query:
    where: Node = Everything()
    pipes: tuple[Pipe, ...] = ()
