"""Read what a database consists of, in a handful of queries."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from dayfly.database.impact.catalogue import Catalogue, Thing
from dayfly.database.impact.kinds import KINDS


def snapshot(connection: psycopg.Connection[Any]) -> Catalogue:
    """Everything outside PostgreSQL's own schemas.

    Definitions name what lies outside `public` with its schema, whatever the migration's path is.
    """
    with _named_alike(connection):
        things = [thing for kind, query, _ in KINDS for thing in _things(connection, kind, query)]
    return Catalogue({thing.key: thing for thing in things})


def renewed(
    connection: psycopg.Connection[Any], earlier: Catalogue, relations: Collection[int]
) -> Catalogue:
    """An earlier snapshot in which only these relations, and what belongs to them, may differ."""
    found = dict(earlier.without(relations))
    chosen = list(relations)
    with _named_alike(connection):
        for kind, query, column in KINDS:
            if column:
                of_these = f"{query} AND {column}::int8 = ANY(%s)"
                for thing in _things(connection, kind, of_these, chosen):
                    found[thing.key] = thing
    return Catalogue(found)


@contextmanager
def _named_alike(connection: psycopg.Connection[Any]) -> Iterator[None]:
    before = connection.execute("SELECT current_setting('search_path')").fetchone()
    connection.execute("SET LOCAL search_path = public")
    yield
    connection.execute("SELECT set_config('search_path', %s, true)", before)


def _things(
    connection: psycopg.Connection[Any], kind: type[Thing], query: str, *given: object
) -> list[Thing]:
    cursor = connection.execute(query.encode(), given or None)
    names = [column.name for column in cursor.description or ()]
    return [_thing(kind, dict(zip(names, map(_frozen, row), strict=True))) for row in cursor]


def _thing(kind: type[Thing], fields: dict[str, Any]) -> Thing:
    return kind(**fields)


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
