"""One question at a time on the operator's server: two would put back each other's changes."""

from psycopg import Connection

from dayfly.clock import DeadlineError, wait_until
from dayfly.database.programs import DatabaseError

TURN_SECONDS = 1800.0  # a question may try two releases, and a slow app takes its time
_POLL_SECONDS = 0.2
_TURN = int.from_bytes(b"dayfly")


def take_turn(session: Connection, server: str, name: str) -> None:
    """Until the session ends. `name` begins that of all such sessions, `server` is for people.

    The lock is one of the session's database, which is the one that the URL names.
    """

    def taken() -> bool:
        row = session.execute("SELECT pg_try_advisory_lock(%s)", (_TURN,)).fetchone()
        return bool(row and row[0])

    try:
        wait_until(taken, seconds=TURN_SECONDS, what="its turn", poll=_POLL_SECONDS)
    except DeadlineError as error:
        raise DatabaseError(
            f"another question has kept scratch_url ({server}) busy "
            f"for {TURN_SECONDS / 60:.0f} minutes",
            hint=f"Its session there is called {name!r} and a number (pg_stat_activity): "
            "wait for it, or name a server of its own.",
        ) from error
