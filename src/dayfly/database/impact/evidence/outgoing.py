"""Do the statements that production has seen still work? Asked of the planner, none is executed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from dayfly.database.connection import connect, said
from dayfly.database.impact.replay.plan import PLANNED
from dayfly.database.impact.words import first_word

Connection = psycopg.Connection[Any]

_SHOWN, _LETTERS = 20, 300  # of those that cannot be assessed
_PARAMETERS = "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = %s"


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A statement that worked before the migration and fails after it."""

    text: str
    sqlstate: str
    message: str
    prepared: bool = False  # only in sessions that had prepared it before


@dataclass(frozen=True, kw_only=True)
class Unassessed:
    """A statement that fails on the old schema too, so that it tells nothing."""

    text: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Checked:
    worked: int = 0
    unassessed: tuple[Unassessed, ...] = ()
    broken: tuple[Broken, ...] = ()

    def as_json(self) -> dict[str, object]:
        which = [
            {"statement": one.text[:_LETTERS], "why": one.message}
            for one in self.unassessed[:_SHOWN]
        ]
        return {
            "checked": self.worked,
            "broken": len(self.broken),
            "unassessable": len(self.unassessed),
            "which": which,
        }


NOTHING = Checked()


@dataclass
class Rehearsed:
    """The statements of production, prepared on the old schema in a session that stays open."""

    url: str
    role: str
    session: Connection
    working: dict[str, str]  # the name under which each is prepared
    unassessed: tuple[Unassessed, ...]

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
        return Checked(worked=len(self.working), unassessed=self.unassessed, broken=tuple(broken))


@contextmanager
def rehearsed(url: str, texts: Iterable[str], role: str) -> Iterator[Rehearsed]:
    """Try them on the old schema; those that fail there tell nothing later."""
    with _session(url, role) as session:
        working: dict[str, str] = {}
        unassessed: list[Unassessed] = []
        for text in dict.fromkeys(texts):
            if first_word(text) not in (*PLANNED, "TABLE", "VALUES"):
                continue  # BEGIN, SET …: no migration changes these
            name = f"dayfly_{len(working)}"
            error = _tried(session, text, name)
            if error is None:
                working[text] = name
            else:
                unassessed.append(Unassessed(text=text, message=said(error)))
        yield Rehearsed(url, role, session, working, tuple(unassessed))


@contextmanager
def _session(url: str, role: str) -> Iterator[Connection]:
    with connect(url, autocommit=True) as connection:
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
        message=said(error),
        prepared=prepared,
    )
