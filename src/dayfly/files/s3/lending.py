"""Open files that the server's own sender opens once more, a moment after it was told of them."""

import asyncio
import fcntl
import os
import resource
from dataclasses import dataclass, field

from dayfly.files.s3.problem import S3Error

KEEP_SECONDS = 10.0  # far longer than the sender needs
MOST_FILES = 65_536


@dataclass
class Lending:
    """Gives each file a number of the upper half, and none again before all others had their turn.

    So a number can't mean another file while somebody may still open it by its path. One event
    loop owns it.
    """

    least: int
    end: int
    keep: float = KEEP_SECONDS
    lent: int = 0
    _next: int = field(default=0, init=False)

    def path(self, descriptor: int) -> str:
        """SlowDown where too many are lent."""
        if self.lent * 2 >= self.end - self.least:
            raise S3Error("SlowDown")
        if not self.least <= self._next < self.end:
            self._next = self.least
        number = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, self._next)
        self._next = number + 1
        self.lent += 1
        asyncio.get_running_loop().call_later(self.keep, self._close, number)
        return f"/proc/self/fd/{number}"

    def _close(self, number: int) -> None:
        self.lent -= 1
        os.close(number)


def lending() -> Lending:
    """With as many files as the system lets a process have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return Lending(least=most // 2, end=most - 1)
