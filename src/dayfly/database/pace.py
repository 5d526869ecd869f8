"""How a migration treats those who work beside it."""

from dataclasses import dataclass

ATTEMPTS = 10
PAUSE_SECONDS = 1.0  # between two of them


@dataclass(frozen=True, kw_only=True)
class Pace:
    """All in seconds."""

    lock: float  # a lock is waited for so long, since all who come later wait behind it
    others: float  # who waits for us for longer ends us
    deadline: float  # of the whole
    attempts: int = ATTEMPTS
