"""What a line says of itself."""

from collections.abc import Callable
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from dayfly.logs.record import Value

_DIGITS = 18
UTC = ZoneInfo("UTC")


class Known(NamedTuple):
    """What is known where a line is read."""

    moment: int  # of the reading, in nanoseconds since the epoch
    zone: ZoneInfo = UTC  # of times that tell none


def number_or_text(word: str) -> int | str:
    """Of what is a number wherever it is one, such as the id of a process."""
    return int(word) if word.isdecimal() and word.isascii() and len(word) <= _DIGITS else word


class Parsed(msgspec.Struct, omit_defaults=True, gc=False):
    """One is made for every line, so it costs little, and what sends lines on writes it as it is.

    Whoever made it may change it; nobody else does.
    """

    message: str
    level: str = ""
    time: int | None = None  # nanoseconds since the epoch; None: the line tells none
    fields: dict[str, Value] = {}
    # What the line says of its origin (`app`, `release`, `machine`, `host`, `process`); the
    # forwarder's own word counts for more.
    origin: dict[str, str] = {}


Parse = Callable[[str, Known], Parsed | None]


class Format(NamedTuple):
    """A way to read a line, and what tells at once that a line is not of it."""

    parse: Parse
    begins: frozenset[str]  # the first letter of its lines; of a digit, which kind of number
    sign: str  # every line of it has this letter somewhere: one is found quickly, two are not


DASHED, SLASHED, NUMBER = "2026-", "2026/", "1"  # dates, and any other number
DATED = frozenset((DASHED, SLASHED))
MONTHS = frozenset("JFMASOND")
DIGITS = frozenset("0123456789")
