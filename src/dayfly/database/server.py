"""What a copy needs of the server it is on: one of our own, or the operator's."""

from collections.abc import Iterable
from typing import Protocol

from psycopg import Connection

from dayfly.database.connection import connect


class Server(Protocol):
    """Where databases may be made; names of databases are the server's own."""

    @property
    def maintenance(self) -> str:
        """The database to enter where another one is to be made or dropped."""

    @property
    def template(self) -> str:
        """The database that has production's schema."""

    def new_name(self) -> str:
        """For one more copy."""

    def owner(self, role: str) -> str:
        """Of a copy of a database that belongs to a role of production."""

    def url(self, database: str) -> str:
        """As the one who may do all that copies need."""

    def admit(self, connection: Connection, role: str, *, superuser: bool | None = None) -> None:
        """Let one of production's roles in; with a superuser's rights, without, or as it is."""

    def refuse_lasting(self, texts: Iterable[str]) -> None:
        """DatabaseError where one of these statements leaves there what nobody can undo."""

    def entered_by(self, role: str, url: str) -> str:
        """The same database, with that role's rights."""


def connected(server: Server, database: str) -> Connection:
    return connect(server.url(database), autocommit=True)
