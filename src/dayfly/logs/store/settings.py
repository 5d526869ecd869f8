"""What can be set about a store."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Settings:
    rows: int = 200_000  # that are sealed into a segment
    text: int = 128 * MB  # the same in bytes: long records make segments of fewer rows
    seconds: float = 300.0  # after which fewer are sealed, too
    keep_seconds: float | None = None
    keep_apps: Mapping[str, float] = field(default_factory=dict)  # seconds, of some apps
    keep_bytes: int | None = None
    reserve: int = 64 * MB  # of the disk; sealing needs it, so nothing is taken below it
    small: int = 8  # segments of a day that are merged when there are so many small ones
    rounds: bool = True  # seal, merge and delete by itself; else only when asked
    readers: int = 4  # segments that are read at the same time, whoever asks


DEFAULTS = Settings()
