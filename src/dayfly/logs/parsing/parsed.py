"""What a line says of itself."""

from collections.abc import Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo

from dayfly.logs.record import NO_FIELDS, Value

_DIGITS = 18
UTC = ZoneInfo("UTC")


class Known(NamedTuple):
    """What is known where a line is read."""

    moment: int  # of the reading, in nanoseconds since the epoch
    zone: ZoneInfo = UTC  # of times that tell none


def number_or_text(word: str) -> int | str:
    """Of what is a number wherever it is one, such as the id of a process."""
    return int(word) if word.isdecimal() and word.isascii() and len(word) <= _DIGITS else word


class Parsed(NamedTuple):
    """A tuple, because one is made for every line."""

    message: str
    level: str = ""
    time: int | None = None  # nanoseconds since the epoch; None: the line tells none
    fields: Mapping[str, Value] = NO_FIELDS
    # What the line says of its origin (`app`, `release`, `machine`, `host`, `process`); the
    # forwarder's own word counts for more.
    origin: Mapping[str, str] = {}
