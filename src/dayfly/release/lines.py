"""Operations by app: the first of a line is under way, the others wait for their turn."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dayfly.release.operation import Operation


class Lines:
    """Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: dict[str, list[Operation]] = {}

    @contextmanager
    def of(self, app: str) -> Iterator[list[Operation]]:
        """The line of an app, to look at and to change; nobody else does until the body ends."""
        with self._lock:
            yield self._lines.setdefault(app, [])

    def all(self) -> list[Operation]:
        with self._lock:
            return self._all()

    def remove(self, operation: Operation) -> None:
        with self.of(operation.record.app) as line:
            line.remove(operation)

    def before(self, operation: Operation) -> list[Operation]:
        """Those whose turn comes first."""
        with self.of(operation.record.app) as line:
            return line[: line.index(operation)]

    def keep_outgoing(self, operation: Operation, serving: int | None) -> None:
        with self._lock:
            operation.outgoing.update([] if serving is None else [serving])

    # -- what others have to leave alone

    def busy(self) -> frozenset[int]:
        """Releases that an operation has in hand: nobody else touches their machines."""
        return frozenset(o.record.number for o in self.all() if o.alone)

    def engaged(self) -> frozenset[str]:
        """Apps of which an operation is under way."""
        return frozenset(o.record.app for o in self.all())

    def own(self) -> frozenset[str]:
        """Machines that operations have started for themselves."""
        return frozenset(name for o in self.all() for name in o.own.copy())

    def queued(self) -> frozenset[int]:
        """Releases that wait for the one under way."""
        with self._lock:
            return frozenset(o.record.number for line in self._lines.values() for o in line[1:])

    def outgoing(self) -> frozenset[int]:
        """Releases whose fleets an operation may go back to, or drains: they don't retire."""
        with self._lock:
            return self._outgoing()

    @contextmanager
    def idle(self, number: int) -> Iterator[bool]:
        """Whether no operation needs this release; none takes it until the body ends."""
        with self._lock:
            in_hand = {o.record.number for o in self._all()}
            yield number not in in_hand | self._outgoing()

    def _all(self) -> list[Operation]:
        return [operation for line in self._lines.values() for operation in line]

    def _outgoing(self) -> frozenset[int]:
        return frozenset(number for o in self._all() for number in o.outgoing)
