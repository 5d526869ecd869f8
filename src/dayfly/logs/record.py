"""One log entry."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Value = str | int | float | bool
NO_FIELDS: Mapping[str, Value] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Record:
    """`time` is in nanoseconds since the epoch; empty texts stand for what nobody told."""

    time: int
    message: str
    app: str = ""
    release: int = 0  # 0: of none
    machine: str = ""
    host: str = ""
    process: str = ""
    stream: str = ""  # stdout, stderr, a file's name in its machine, journal, access, …
    level: str = ""  # debug, info, warning, error, critical
    fields: Mapping[str, Value] = field(default_factory=lambda: NO_FIELDS)


# What tells records of one source from those of another.
STREAM = ("app", "release", "machine", "host", "stream")


def digest_of(text: str) -> str:
    """What tells a message in an address, where a megabyte has no room."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]
