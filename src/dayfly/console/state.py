"""What the console reads. Whoever mounts its pages answers these questions."""

from collections.abc import AsyncIterator, Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from dayfly.events import Event
from dayfly.files.operated import Operated

Json = Mapping[str, Any]


class State(Protocol):
    """JSON in the shapes of the API. All but `events` may block: they run in worker threads."""

    def status(self) -> Json: ...

    def releases(self, app: str | None, limit: int) -> Sequence[Json]:
        """Newest first."""

    def receipt(self, number: int) -> Json | None:
        """None when there is no such release."""

    def history(self, number: int, after: int) -> Iterable[Event]:
        """The events of one release after number `after`, oldest first."""

    def newest(self) -> int:
        """The number of the newest event."""

    def events(self, after: int) -> AsyncIterator[Event]:
        """Every event after number `after`, as it happens; never ends."""

    def logs(self, question: str, **told: object) -> Generator[str]:
        """The lines of JSON with which the log store answers; DayflyError where it does not.

        Closing it stops the search.
        """

    def alerts(self) -> Sequence[Json]:
        """All alerts of the logs, whether they stand or not."""

    def archive(self) -> Operated:
        """Where the file archive lies; it may be away."""

    def searches(self) -> Path:
        """The file with the searches that got a name."""
