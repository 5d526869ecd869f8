"""Rows of a copy that refer to a row that is not there."""

from collections.abc import Mapping, Sequence

from psycopg import Connection, sql

from dayfly.database.shapes import Reference, Shape

_PASSES = 5


def remove_orphans(
    connection: Connection, tables: Sequence[Shape], found: Mapping[int, Shape]
) -> None:
    """Until each row refers to one that is there."""
    statements = [
        _orphans(connection, shape, reference, found)
        for shape in tables
        for reference in shape.references
    ]
    for _ in range(_PASSES):
        if not sum(connection.execute(statement).rowcount for statement in statements):
            return


def _orphans(
    connection: Connection, shape: Shape, reference: Reference, found: Mapping[int, Shape]
) -> sql.Composed:
    other = (
        sql.Identifier(*found[reference.table].table)
        if reference.table in found
        else qualified(connection, reference.table)
    )
    pairs = list(zip(reference.columns, reference.referred, strict=True))
    same = sql.SQL(" AND ").join(
        sql.SQL("o.{} = t.{}").format(sql.Identifier(theirs), sql.Identifier(ours))
        for ours, theirs in pairs
    )
    there = sql.SQL(" AND ").join(
        sql.SQL("t.{} IS NOT NULL").format(sql.Identifier(ours)) for ours, _ in pairs
    )
    return sql.SQL("DELETE FROM {} t WHERE {} AND NOT EXISTS (SELECT FROM {} o WHERE {})").format(
        sql.Identifier(*shape.table), there, other, same
    )


def qualified(connection: Connection, table: int) -> sql.Identifier:
    question = """SELECT n.nspname::text, c.relname::text FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = %s"""
    [(schema, name)] = connection.execute(question, (table,)).fetchall()
    return sql.Identifier(schema, name)
