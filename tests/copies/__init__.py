"""A schema in a throw-away server, and fresh copies of it to try migrations on."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from dayfly.database.captured import Statement, Transaction
from dayfly.database.cluster import ADMIN
from dayfly.database.scratch import ScratchServer


@dataclass(frozen=True)
class Copies:
    """Of one schema, with its rows."""

    server: ScratchServer
    name: str

    @contextmanager
    def fresh(self, *statements: str) -> Iterator[str]:
        """The URL of a copy that belongs to the caller; dropped on the way out."""
        name = f"copy_{secrets.token_hex(4)}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE {self.name}")
        try:
            url = self._url(name)
            executed(url, statements)
            yield url
        finally:
            self._administer(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname"
            self._administer(f"{ended} = '{name}'")
            self._administer(f"DROP DATABASE {name}")

    def _url(self, name: str) -> str:
        return (
            f"postgresql://{ADMIN}:{self.server.admin_password}@127.0.0.1:{self.server.port}/{name}"
        )

    def _administer(self, statement: str) -> None:
        executed(self._url("postgres"), [statement])

    def role(self, name: str) -> None:
        """A role of the server, of which a migration may speak."""
        self._administer(f"CREATE ROLE {name} NOLOGIN")

    def renewed(self, statements: Sequence[str]) -> str:
        """The URL of the one database, its schema made again: quicker than a copy."""
        again = ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public", *statements)
        executed(self._url(self.name), [";".join(again)])
        return self._url(self.name)

    @classmethod
    def of(cls, server: ScratchServer, schema: Sequence[str]) -> "Copies":
        made = cls(server, f"schema_{secrets.token_hex(4)}")
        made._administer(f"CREATE DATABASE {made.name}")
        executed(made._url(made.name), schema)
        return made


def executed(url: str, statements: Sequence[str]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def migration(*statements: str, name: str = "", alone: bool = False) -> Transaction:
    """Statements that were captured together, or one by one."""
    return Transaction(
        statements=tuple(Statement(text=text, migration=name) for text in statements),
        block=not alone,
    )


def asked_of(copies: Copies, question: str) -> Any:  # noqa: ANN401 - of any type
    """The one value of a query."""
    with psycopg.connect(copies.renewed(()), autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
    return row[0] if row else None
