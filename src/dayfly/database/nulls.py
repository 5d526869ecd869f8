"""NULLs in the rows that we made up, taken out where production has none."""

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import Connection, sql
from psycopg import Error as PostgresError

from dayfly.database.books import BOOKS
from dayfly.database.connection import connect
from dayfly.database.impact.questions import Ask

MOST = 60  # columns that production is asked about
_READ = """
    SELECT n.nspname::text, c.relname::text, a.attname::text
    FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE s.seq_scan + coalesce(s.idx_scan, 0) > 0 AND c.relkind = 'r' AND NOT a.attisdropped
    AND NOT a.attnotnull AND a.attgenerated = '' AND c.relname <> ALL (%s) ORDER BY 1, 2, a.attnum
"""
_KNOWN = """
    SELECT count(*) FROM pg_stats WHERE schemaname = {} AND tablename = {} AND attname = {}
    AND null_frac > 0
"""
_ANY = "SELECT count(*) FROM (SELECT FROM {} WHERE {} IS NULL LIMIT 1) found"
_FILL = "UPDATE {0} SET {1} = (SELECT {1} FROM {0} WHERE {1} IS NOT NULL LIMIT 1) WHERE {1} IS NULL"


@dataclass(frozen=True, kw_only=True)
class Place:
    """A column that may be NULL."""

    schema: str
    table: str
    name: str

    @property
    def shown(self) -> str:
        return f"{self.table}.{self.name}"


def read_there(url: str) -> list[Place]:
    """The columns that may be NULL, of those tables that somebody read in a copy."""
    with connect(url, autocommit=True) as connection:
        rows = connection.execute(_READ, ([*BOOKS],)).fetchall()
    return [Place(schema=row[0], table=row[1], name=row[2]) for row in rows]


def without_nulls(url: str, places: list[Place], ask: Ask) -> tuple[str, ...]:
    """Give these columns of a copy values where production has no NULL; the names of those."""
    with connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        return tuple(place.shown for place in _filled(connection, places, ask))


def _filled(connection: Connection, places: list[Place], ask: Ask) -> Iterator[Place]:
    for place in places[:MOST]:
        table, name = sql.Identifier(place.schema, place.table), sql.Identifier(place.name)
        whose = map(sql.Literal, (place.schema, place.table, place.name))
        known = sql.SQL(_KNOWN).format(*whose).as_string(connection)
        asked = sql.SQL(_ANY).format(table, name).as_string(connection)
        if not _has_null(connection, asked) or ask(known) or ask(asked) != 0:
            continue
        try:
            connection.execute(sql.SQL(_FILL).format(table, name))
        except PostgresError:  # a CHECK wants it so
            continue
        if not _has_null(connection, asked):
            yield place


def _has_null(connection: Connection, asked: str) -> bool:
    row = connection.execute(asked.encode()).fetchone()
    return bool(row and row[0])
