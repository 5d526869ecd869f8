"""How sizes, times and the like are written on a command line of the archive."""

from argparse import ArgumentTypeError
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dayfly.config.units import Duration, Size

DAY_SECONDS = 86_400


def pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not (name and found):
        raise ArgumentTypeError(f"{text}: allowed is NAME=VALUE")
    return name, value


def checksum(text: str) -> str:
    algorithm, _, value = text.lower().partition(":")
    digits = {"sha256": 64, "sha512": 128}.get(algorithm)
    if digits is None or not (len(value) == digits and set(value) <= set("0123456789abcdef")):
        raise ArgumentTypeError(f"{text}: allowed is sha256: and 64 digits, or sha512: and 128")
    return f"{algorithm}:{value}"


def seconds(text: str) -> float:
    found = float(text) if text.replace(".", "", 1).isdecimal() else duration(text)
    if not found:
        raise ArgumentTypeError(f"{text}: allowed is more than that")
    return float(found)


def duration(text: str) -> "Duration":
    from dayfly.config.units import Duration, UnitError  # noqa: PLC0415

    try:
        return Duration.parse(text)
    except UnitError as error:
        raise ArgumentTypeError(f"{text}: {error}") from error


def size(text: str) -> "Size":
    from dayfly.config.units import Size, UnitError  # noqa: PLC0415

    try:
        return Size.parse(text)
    except UnitError as error:
        raise ArgumentTypeError(f"{text}: {error}") from error


def moment(text: str) -> int:
    """Nanoseconds since the epoch, of a time or of how long ago."""
    import time  # noqa: PLC0415

    from dayfly.config.units import Duration, UnitError  # noqa: PLC0415
    from dayfly.logs.query.instants import ALLOWED, span  # noqa: PLC0415 - one way to write times

    if written := span(text):
        return written[0]
    try:
        return time.time_ns() - round(Duration.parse(text) * 1_000_000_000)
    except UnitError as error:
        raise ArgumentTypeError(f"{text}: allowed is {ALLOWED}, or how long ago: 2h") from error


def count(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) <= 64):  # noqa: PLR2004
        raise ArgumentTypeError(f"{text}: allowed are 1 to 64")
    return int(text)


def days(text: str) -> int:
    """Whole ones, as S3's rules have them."""
    found = float(duration(text)) / DAY_SECONDS
    if not found or found != int(found):
        raise ArgumentTypeError(f"{text}: allowed are whole days, such as 30d")
    return int(found)
