"""All that a database holds, as text, so that nothing can get lost or change unseen."""

import psycopg
from psycopg import sql

Columns = dict[str, tuple[str, ...]]  # by table
Rows = dict[str, frozenset[str]]

_COLUMNS = """
    SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position)
    FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name
"""
_FEEDBACK = "SELECT review FROM submission_feedback"


def columns_of(url: str) -> Columns:
    with psycopg.connect(url) as connection:
        found = connection.execute(_COLUMNS).fetchall()
    return {str(table): tuple(columns) for table, columns in found}


def rows_of(url: str, columns: Columns) -> Rows:
    """Of these columns only: a migration may have added others."""
    with psycopg.connect(url) as connection:
        return {table: _rows(connection, table, names) for table, names in columns.items()}


def _rows(
    connection: "psycopg.Connection[tuple[str]]", table: str, columns: tuple[str, ...]
) -> frozenset[str]:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    query = sql.SQL("SELECT ROW({})::text FROM {}").format(names, sql.Identifier(table))
    return frozenset(text for (text,) in connection.execute(query))


def missing(before: Rows, after: Rows) -> dict[str, list[str]]:
    """Rows that are gone or changed, by table."""
    lost = {table: sorted(before[table] - after[table]) for table in before}
    return {table: rows for table, rows in lost.items() if rows}


def feedback(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [review for (review,) in connection.execute(_FEEDBACK)]
