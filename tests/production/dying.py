"""The server as it is, but killed at one write of the journal: `python -m production.dying`.

dying.py HOME before N   SIGKILL instead of the Nth commit after the first order
dying.py HOME after N    SIGKILL right after the Nth event after the first order
dying.py HOME intended:S 1   SIGKILL when step S is intended (`done:S`: when it is done)
dying.py HOME count      die never, and print how many of both there were, at the end
"""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from dayfly.config.home import Home
from dayfly.console.server import answer
from dayfly.environment.environment import opened
from dayfly.events import Event


@dataclass
class Death:
    """Counts from the first release or rollback on; so what a start writes does not count."""

    where: str
    at: int
    counts: Path
    commits: int = 0
    events: int = 0
    begun: bool = False

    def statement(self, text: str) -> None:
        """Before each statement that SQLite carries out."""
        if text.startswith(("INSERT INTO release", "INSERT INTO event")):
            self.begun = self.begun or "release" in text[:20] or "rollback.started" in text
        if self.begun and text == "COMMIT":
            self.commits += 1
            self._tell()
            self._die_at("before", self.commits)

    def event(self, event: Event) -> None:
        if self.begun:
            self.events += 1
            self._tell()
            self._die_at("after", self.events)
            state, _, step = self.where.partition(":")
            if (event.kind, event.data.get("step")) == (f"step.{state}", step):
                self._die_at(self.where, self.at)

    def _die_at(self, where: str, count: int) -> None:
        if (where, count) == (self.where, self.at):
            os.kill(os.getpid(), signal.SIGKILL)

    def _tell(self) -> None:
        self.counts.write_text(f"{self.commits} {self.events}")


def main(home: Home, where: str, at: int) -> None:
    death = Death(where, at, home.run / "counts")
    with opened(home) as environment:
        journal = environment.parts.journal
        journal._db.set_trace_callback(death.statement)  # noqa: SLF001 - each write, not only events
        journal.subscribe(death.event)
        answer(home, environment)


if __name__ == "__main__":
    main(Home(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3]))
