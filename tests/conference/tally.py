"""What visitors met, counted from many threads."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any


@dataclass
class Tally:
    """Every request ends here, as answered or as a failure that is told in full."""

    failures: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)  # acknowledged, so they must be found again
    options: list[str] = field(default_factory=list)  # acknowledged too: answers to questions
    versions: Counter[str] = field(default_factory=Counter)  # of pretalx, by what pages look like
    newest_version: str = ""
    _seconds: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answered(self, seconds: float) -> None:
        with self._lock:
            self._seconds.append(seconds)

    def failed(self, what: str) -> None:
        with self._lock:
            self.failures.append(f"{time.strftime('%H:%M:%S')} {what}")

    def acknowledged(self, text: str) -> None:
        with self._lock:
            self.written.append(text)

    def offered(self, options: Sequence[str]) -> None:
        with self._lock:
            self.options += options

    def saw(self, version: str) -> None:
        with self._lock:
            self.versions[version] += 1
            self.newest_version = version

    def figures(self) -> dict[str, Any]:
        with self._lock:
            cuts = quantiles(self._seconds, n=100) if len(self._seconds) > 1 else [0.0] * 99
            return {
                "requests": len(self._seconds) + len(self.failures),
                "failed": len(self.failures),
                "written": len(self.written),
                "options": len(self.options),
                "versions": dict(self.versions),
                "p50_ms": round(cuts[49] * 1000),
                "p99_ms": round(cuts[98] * 1000),
                "max_ms": round(max(self._seconds, default=0.0) * 1000),
            }
