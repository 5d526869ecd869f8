"""Where production is read: at its replica as long as that keeps up, else at production itself."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from dayfly.clock import DeadlineError, wait_until
from dayfly.database.connection import connect
from dayfly.database.impact.questions import Ask, asker
from dayfly.database.problems import connecting
from dayfly.database.production import reading
from dayfly.database.programs import DatabaseError
from dayfly.errors import DayflyError

LAG_SECONDS = 5.0  # that we wait for a replica to have what production has now
_WHICH = "SELECT system_identifier, current_database()::text FROM pg_control_system()"
# As a number of bytes. What is inserted counts, since a commit need not wait until it is written;
# at the top of a page the place for the next record is behind the header, where nothing ends yet.
_NOW = """
    SELECT at - CASE WHEN at % 8192 IN (24, 40) THEN at % 8192 ELSE 0 END FROM (
        SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                ELSE pg_current_wal_insert_lsn() END) - '0/0'::pg_lsn AS at
    ) AS now
"""
_CAUGHT_UP = "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn() - '0/0'::pg_lsn >= %s"

Read = TypeVar("Read")


class Source:
    """Remembers why the replica is not asked: once is enough for all that follows."""

    def __init__(self, production: str, replica: str = "", *, seconds: float = LAG_SECONDS) -> None:
        self._seconds = seconds
        self._production = production
        self._replica = replica
        self._keeps_up = False
        self.why = ""

    @property
    def note(self) -> str:
        """What a person should know; empty where all is as they wanted it."""
        return f"production was read, not its replica: {self.why}" if self.why else ""

    def read(self, work: Callable[[str], Read]) -> Read:
        """Do it with the URL of the replica, and with production's where that fails."""
        if self._replica and not self.why:
            try:
                self._require_up_to_date()
                return work(self._replica)
            except DayflyError as error:
                self.why = error.message
        return work(self._production)

    @contextmanager
    def asker(self, *, seconds: float) -> Iterator[Ask]:
        """Questions to the data, each for so many seconds at most."""
        with ExitStack() as stack:
            asks: dict[str, Ask] = {}

            def ask(query: str) -> int | None:
                def at(url: str) -> int | None:
                    if url not in asks:
                        asks[url] = stack.enter_context(asker(url, seconds=seconds))
                    return asks[url](query)

                return self.read(at)

            yield ask

    def _require_up_to_date(self) -> None:
        if not self._keeps_up:
            require_replica(self._replica, self._production, seconds=self._seconds)
            self._keeps_up = True


def require_replica(replica: str, production: str, *, seconds: float) -> None:
    """DatabaseError unless all that production has committed until now is there."""
    with reading(production) as connection:
        which = connection.execute(_WHICH).fetchone()
        now = connection.execute(_NOW).fetchone()
    with (
        connecting(replica),
        connect(replica, autocommit=True) as connection,
    ):
        if connection.execute(_WHICH).fetchone() != which:
            raise DatabaseError("it is no replica of production's database")

        def caught_up() -> bool:
            row = connection.execute(_CAUGHT_UP, now).fetchone()
            if row is None or not row[0]:
                raise DatabaseError("it is no replica, but takes writes of its own")
            return bool(row[1])

        try:
            wait_until(caught_up, seconds=seconds, what="the replica")
        except DeadlineError as error:
            raise DatabaseError(f"it lags by more than {seconds:g} s") from error
