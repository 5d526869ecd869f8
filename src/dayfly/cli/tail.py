"""What is new in looks that overlap: each line once, also those that come late."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from dayfly.clock import SECOND
from dayfly.logs.query.instants import iso, span

OVERLAP = 30 * SECOND  # what arrives so late is still shown
BEHIND = 60 * SECOND  # so much more than before is told; a look begins half of it back anyway
MOST = 50_000  # records of one look
HELD = 100_000  # lines that are known again, about: it narrows OVERLAP where more come
EARLIEST = -(2**63)


@dataclass
class Tail:
    """Looks begin a while before the newest line; a full look is gone on from where it ended.

    What is there at the beginning, and older than `shown_from`, is known and not shown: what comes
    later and is as old came late. `remarks` are what a person is to be told of it, once each.
    """

    begin: int
    most: int = MOST
    held: int = HELD
    shown_from: int = EARLIEST
    remarks: list[str] = field(default_factory=list)
    _newest: int = EARLIEST
    _started: int = EARLIEST  # when the looks began that are gone on with
    _at: int | None = None  # where a full look ended; what lies before is not looked at now
    _seen: dict[bytes, tuple[int, int]] = field(default_factory=dict)  # time, how often
    _least: int | None = None  # it was behind by
    _narrowed: bool = False
    _begun: bool = False  # a look has seen all that there was

    def since(self, now: int) -> int:
        """A clock that is ahead must not hide what others write."""
        self._forget(now)
        if self._at is None:
            self._started = now
        return self.begin if self._at is None else self._at

    @property
    def ended(self) -> bool:
        """Whether the last look saw all that there was."""
        return self._at is None

    def fresh(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines of a look that are new, equal ones as often as they are there.

        A look that breaks off is repeated, and nothing of it is told twice.
        """
        looked, total, last = dict[bytes, int](), 0, ""
        for line in lines:
            total, last, key = total + 1, line, blake2b(line.encode(), digest_size=16).digest()
            looked[key] = times = looked.get(key, 0) + 1
            if key not in self._seen or times > self._seen[key][1]:
                time = self._seen[key][0] if key in self._seen else time_of(line)
                self._seen[key] = time, times
                self._newest = max(self._newest, time)
                if self._begun or time >= self.shown_from:
                    yield line
        self._at = self._next(time_of(last)) if total >= self.most else None
        self._begun = self._begun or self.ended

    def cut(self, last: str) -> None:
        """The look was not full, and yet there is more after its last line."""
        time = time_of(last)
        self._at = time if time > (self._at or self.begin) else None

    def lags(self, now: int) -> None:
        """Tell when it falls behind what is written."""
        lag = 0 if self._at is None else max(0, now - self._at)
        if self._least is None or lag < self._least:
            self._least = lag
        if lag > self._least + BEHIND:
            self._least = lag
            self.remarks.append(
                f"More is written than can be followed: it is {lag // SECOND} s behind; nothing is "
                f"left out, and it goes on from {iso(self._at or now)}."
            )

    def _next(self, time: int) -> int:
        """Where a full look is gone on from."""
        here = self.begin if self._at is None else self._at
        if time > here:
            return time
        self.remarks.append(
            f"There are {self.most} lines or more of {iso(time)}: those beyond are not shown, "
            "and it goes on after them."
        )
        return time + 1

    def _forget(self, now: int) -> None:
        """Look from later on; nobody needs to know again what lies before.

        What came late while full looks were gone on with is looked for when they have ended.
        """
        late = min(self._newest, self._started, now) - OVERLAP
        if len(self._seen) > self.held:
            times = sorted(time for time, _ in self._seen.values())
            narrow = times[-self.held]
            if narrow > late and self._at is None:
                self._tell_narrowed(min(self._newest, now) - narrow)
            late = max(late, narrow)
        if self._at is not None:
            late = min(late, self._at)
        if late > self.begin:
            self.begin = late
            self._seen = {key: each for key, each in self._seen.items() if each[0] >= late}

    def _tell_narrowed(self, left: int) -> None:
        if not self._narrowed:
            self._narrowed = True
            self.remarks.append(
                f"More than {self.held} lines come in {OVERLAP // SECOND} s: one that comes more "
                f"than about {max(0, left) / SECOND:.1f} s late may not be shown."
            )


def time_of(line: str) -> int:
    moment = span(str(json.loads(line).get("time", ""))) if line else None
    return moment[0] if moment else 0
