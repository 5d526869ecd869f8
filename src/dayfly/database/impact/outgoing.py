"""Do the statements that production has seen still work? Asked of the planner, none is executed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from dayfly.database.impact.plan import PLANNED
from dayfly.database.impact.words import first_word

Connection = psycopg.Connection[Any]

_PARAMETERS = "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = %s"


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A statement that worked before the migration and fails after it."""

    text: str
    sqlstate: str
    message: str
    prepared: bool = False  # only in sessions that had prepared it before


@dataclass(frozen=True, kw_only=True)
class Checked:
    worked: int = 0
    unassessable: int = 0  # failed before, too
    broken: tuple[Broken, ...] = ()


NOTHING = Checked()


@dataclass
class Rehearsed:
    """The statements of production, prepared on the old schema in a session that stays open."""

    url: str
    role: str
    session: Connection
    working: dict[str, str]  # the name under which each is prepared
    unassessable: int

    def again(self) -> Checked:
        """On the new schema: in a fresh session, and in the one that prepared them before."""
        broken: list[Broken] = []
        with _session(self.url, self.role) as fresh:
            for text, name in self.working.items():
                error = _tried(fresh, text, name)
                if error is not None:
                    broken.append(_broken(text, error, prepared=False))
                    continue
                stale = _planned(self.session, name)
                if stale is not None:
                    broken.append(_broken(text, stale, prepared=True))
        return Checked(
            worked=len(self.working), unassessable=self.unassessable, broken=tuple(broken)
        )


@contextmanager
def rehearsed(url: str, texts: Iterable[str], role: str) -> Iterator[Rehearsed]:
    """Try them on the old schema; those that fail there tell nothing later."""
    with _session(url, role) as session:
        working: dict[str, str] = {}
        unassessable = 0
        for text in dict.fromkeys(texts):
            if first_word(text) not in (*PLANNED, "TABLE", "VALUES"):
                continue  # BEGIN, SET …: no migration changes these
            name = f"dayfly_{len(working)}"
            if _tried(session, text, name) is None:
                working[text] = name
            else:
                unassessable += 1
        yield Rehearsed(url, role, session, working, unassessable)


@contextmanager
def _session(url: str, role: str) -> Iterator[Connection]:
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        connection.execute("SET plan_cache_mode = force_generic_plan")
        if role:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        yield connection


def _tried(connection: Connection, text: str, name: str) -> psycopg.Error | None:
    try:
        connection.execute(f"PREPARE {name} AS {text}".encode())
    except psycopg.Error as error:
        return error
    failed = _planned(connection, name)
    if failed is not None:
        connection.execute(f"DEALLOCATE {name}".encode())
    return failed


def _planned(connection: Connection, name: str) -> psycopg.Error | None:
    """Plans and checks privileges, with NULL for each parameter."""
    row = connection.execute(_PARAMETERS, (name,)).fetchone()
    nulls = ", ".join(["NULL"] * (row[0] if row else 0))
    try:
        connection.execute(f"EXPLAIN EXECUTE {name}{f'({nulls})' if nulls else ''}".encode())
    except psycopg.Error as error:
        return error
    return None


def _broken(text: str, error: psycopg.Error, *, prepared: bool) -> Broken:
    return Broken(
        text=text,
        sqlstate=error.sqlstate or "",
        message=error.diag.message_primary or str(error),
        prepared=prepared,
    )
