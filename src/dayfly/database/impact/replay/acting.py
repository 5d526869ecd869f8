"""As whom a migration runs on a copy: what it makes must belong to the same role as later on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from dayfly.database.impact.replay.marks import Connection


@dataclass
class Actor:
    """A role for the statements of a session that is a superuser's; empty: the session's own."""

    connection: Connection
    role: str = ""

    @contextmanager
    def acting(self) -> Iterator[None]:
        """As the role, or as another that a statement has chosen since.

        A failure takes the choice back with its savepoint, or here where there is none.
        """
        if not self.role:
            yield
            return
        self.connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(self.role)))
        try:
            yield
        except psycopg.Error:
            if self.connection.info.transaction_status == TransactionStatus.IDLE:
                self.connection.execute("RESET ROLE")
            raise
        row = self.connection.execute("SELECT current_user, session_user").fetchone()
        if row and row[0] != row[1]:
            self.role = row[0]
        self.connection.execute("RESET ROLE")
