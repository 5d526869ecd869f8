"""Durations and sizes as people write them: `30s`, `10m`, `256MB`."""

import re
from decimal import Decimal
from typing import Self

from dayfly.errors import DayflyError

_MILLISECONDS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_BYTES = {"TB": 1024**4, "GB": 1024**3, "MB": 1024**2, "KB": 1024, "B": 1}
_DURATION = re.compile("".join(rf"(?:([0-9]+(?:\.[0-9]+)?){unit})?" for unit in _MILLISECONDS))
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(TB|GB|MB|KB|B)")
_LONGEST = 20  # characters; more is no duration or size that anybody means


class UnitError(DayflyError):
    """A text is no duration or size; the message says what is allowed."""


class Duration(float):
    """Seconds. Written as a number with ms, s, m, h or d; a bare number is refused."""

    ALLOWED = 'a duration such as "500ms", "30s", "10m", "1h30m" or "2d"'

    @classmethod
    def parse(cls, text: str) -> Self:
        found = _DURATION.fullmatch(text) if 0 < len(text) <= _LONGEST else None
        if not found:
            raise UnitError(f"allowed is {cls.ALLOWED}")
        parts = zip(found.groups(), _MILLISECONDS.values(), strict=True)
        exact = sum((Decimal(number) * unit for number, unit in parts if number), Decimal(0))
        if exact % 1:
            raise UnitError(f"allowed is {cls.ALLOWED}, and nothing finer than 1ms")
        return cls(exact / 1000)

    def __str__(self) -> str:
        rest = round(self * 1000)
        shown = ""
        for unit, milliseconds in _MILLISECONDS.items():
            number, rest = divmod(rest, milliseconds)
            shown += f"{number}{unit}" if number else ""
        return shown or "0s"


class Size(int):
    """Bytes. Written with B, KB, MB, GB or TB (powers of 1024, as `docker run` reads them)."""

    ALLOWED = 'a size such as "512KB", "256MB" or "1.5GB"'

    @classmethod
    def parse(cls, text: str) -> Self:
        found = _SIZE.fullmatch(text) if len(text) <= _LONGEST else None
        if not found:
            raise UnitError(f"allowed is {cls.ALLOWED}")
        exact = Decimal(found[1]) * _BYTES[found[2]]
        if exact % 1:
            raise UnitError(f"allowed is {cls.ALLOWED}, and whole bytes")
        return cls(exact)

    def __str__(self) -> str:
        unit = next((name for name, size in _BYTES.items() if self and self % size == 0), "B")
        return f"{int(self) // _BYTES[unit]}{unit}"
