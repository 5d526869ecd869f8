"""All that a database holds, as text, so that nothing can get lost or change unseen."""

import json

import psycopg
from psycopg import sql

Columns = dict[str, tuple[str, ...]]  # by table
Rows = dict[str, frozenset[str]]

_COLUMNS = """
    SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position)
    FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name
"""
_FEEDBACK = "SELECT review FROM submission_feedback"
_OPTIONS = "SELECT answer FROM submission_answeroption"
_CREATED = """
    SELECT count(*) FROM submission_answeroption
    WHERE created BETWEEN to_timestamp(%s) AND to_timestamp(%s)
"""
_DEFAULT = """
    SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a
    JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = 'submission_answeroption'::regclass AND a.attname = 'position'
"""
_OURS = """
    SELECT 'function ' || proname FROM pg_proc WHERE proname LIKE '%dayfly%'
    UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgname LIKE '%dayfly%'
    UNION ALL SELECT 'relation ' || relname FROM pg_class WHERE relname LIKE '%dayfly%'
    UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname LIKE '%dayfly%'
    UNION ALL SELECT 'setting ' || array_to_string(setconfig, ' ') FROM pg_db_role_setting
    WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    ORDER BY 1
"""


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


def options(url: str) -> list[str]:
    """What each of them says; it is kept beside the name of its language."""
    with psycopg.connect(url) as connection:
        found = [answer for (answer,) in connection.execute(_OPTIONS)]
    return [json.loads(text)["en"] if text.startswith("{") else text for text in found]


def options_created(url: str, since: float, until: float) -> int:
    """How many between two moments, in seconds since the epoch."""
    with psycopg.connect(url) as connection:
        row = connection.execute(_CREATED, (since, until)).fetchone()
    return int(row[0]) if row else 0


def default_of_position(url: str) -> str | None:
    """What an option gets that leaves its position out; None where nothing is kept."""
    with psycopg.connect(url) as connection:
        row = connection.execute(_DEFAULT).fetchone()
    return str(row[0]) if row else None


def left_by_dayfly(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [name for (name,) in connection.execute(_OURS)]
