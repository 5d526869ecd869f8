"""Read what a database consists of, in a handful of queries."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from dayfly.database.impact.schema.catalogue import Catalogue, Thing
from dayfly.database.impact.schema.kinds import KINDS


def snapshot(connection: psycopg.Connection[Any]) -> Catalogue:
    """Everything outside PostgreSQL's own schemas.

    Definitions name what lies outside `public` with its schema, whatever the migration's path is.
    """
    with _named_alike(connection):
        things = _all(connection, [(kind, query, ()) for kind, query, _ in KINDS])
    return Catalogue({thing.key: thing for thing in things})


def renewed(
    connection: psycopg.Connection[Any], earlier: Catalogue, relations: Collection[int]
) -> Catalogue:
    """An earlier snapshot in which only these relations, and what belongs to them, may differ."""
    found = dict(earlier.without(relations))
    chosen = list(relations)
    asked = [
        (kind, f"{query} AND {column}::int8 = ANY(%s)", (chosen,))
        for kind, query, column in KINDS
        if column
    ]
    with _named_alike(connection):
        found |= {thing.key: thing for thing in _all(connection, asked)}
    return Catalogue(found)


@contextmanager
def _named_alike(connection: psycopg.Connection[Any]) -> Iterator[None]:
    before = connection.execute("SELECT current_setting('search_path')").fetchone()
    connection.execute("SET LOCAL search_path = public")
    yield
    connection.execute("SELECT set_config('search_path', %s, true)", before)


def _all(
    connection: psycopg.Connection[Any],
    asked: Iterable[tuple[type[Thing], str, tuple[object, ...]]],
) -> list[Thing]:
    """The server works on the next question while we read the answer to the one before."""
    with connection.pipeline():
        answers = [
            (kind, connection.execute(query.encode(), given or None))
            for kind, query, given in asked
        ]
        return [thing for kind, cursor in answers for thing in _things(kind, cursor)]


def _things(kind: type[Thing], cursor: psycopg.Cursor[Any]) -> Iterator[Thing]:
    rows = cursor.fetchall()
    names = [column.name for column in cursor.description or ()]
    for row in rows:
        frozen: Iterator[Any] = (tuple(one) if isinstance(one, list) else one for one in row)
        yield kind(**dict(zip(names, frozen, strict=True)))
