"""Whether a schema is the one that was dumped before: asked of the catalogue, quicker than a dump.

What pg_dump writes comes from tables of pg_catalog and a few settings. All of these tables are
read, also those that a later PostgreSQL adds, but for the few named here. So a change that is
forgotten here costs a dump; none goes unseen.
"""

from collections.abc import Iterator, Sequence
from typing import LiteralString

from psycopg import Connection, sql

# What a dump of the schema never holds. Roles are below: their passwords are not to be read.
_LEFT_OUT = (
    "pg_authid", "pg_database", "pg_largeobject", "pg_largeobject_metadata",
    "pg_replication_origin", "pg_shdepend", "pg_statistic", "pg_statistic_ext_data",
    "pg_subscription", "pg_subscription_rel", "pg_tablespace", "pg_user_mapping",
)  # fmt: skip
# Changed by VACUUM, ANALYZE, TRUNCATE: how much a table holds, and in which file.
_PASSING = (
    "relpages", "reltuples", "relallvisible", "relallfrozen", "relfilenode", "relfrozenxid",
    "relminmxid",
)  # fmt: skip
# Elsewhere PostgreSQL's own rows can only get other grants: for these they are read whole.
_WHOLE = ("pg_namespace", "pg_extension", "pg_language")
_OWN = 16384  # from this number on objects were made by somebody
_KEYS = {"pg_depend": "objid", "pg_description": "objoid", "pg_init_privs": "objoid"}
_LASTING = "WHERE nspname !~ '^pg_(toast_)?temp_'"  # those come with temporary tables
_ORDERED = ("oid", "integer", "smallint")

_TABLES = """
    SELECT c.relname::text, array_agg(a.attname::text ORDER BY a.attnum),
           array_agg(a.atttypid::regtype::text ORDER BY a.attnum)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r' AND a.attnum > 0
    AND NOT a.attisdropped AND c.relname <> ALL (%s) GROUP BY c.relname ORDER BY c.relname
"""
_BESIDE: tuple[LiteralString, ...] = (
    """SELECT concat_ws(' ', 'session', current_user, current_setting('server_version_num'),
        current_setting('standard_conforming_strings'), getdatabaseencoding())""",
    """SELECT 'roles ' || string_agg(ROW(oid, rolname)::text, '' ORDER BY oid)
        FROM pg_catalog.pg_roles""",
)


def asked(connection: Connection, *, versions: bool = False) -> tuple[str, ...]:
    """The fingerprint in its parts: alike as long as pg_dump would write the same.

    With `versions` of all rows also one that changes when something is changed and changed back.
    """
    tables = connection.execute(_TABLES, ([*_LEFT_OUT],)).fetchall()
    parts = [part for table in tables for part in _parts(*table, versions=versions)]
    question = sql.SQL(" UNION ALL ").join([*parts, *map(sql.SQL, _BESIDE)])
    # Sorted, since parallel workers may answer in any order; each part names what it is of.
    return tuple(sorted(str(row[0]) for row in connection.execute(question)))


def _parts(
    name: str, columns: Sequence[str], types: Sequence[str], *, versions: bool
) -> Iterator[sql.Composed]:
    typed = dict(zip(columns, types, strict=True))
    lasting = [sql.Identifier(one) for one in columns if one not in _PASSING]
    row = sql.SQL("ROW({})::text").format(sql.SQL(", ").join(lasting))
    if versions:
        row = sql.SQL("{} || xmin::text").format(row)
    order = _order(typed) or sql.SQL('{} COLLATE "C"').format(row)
    table = sql.Identifier("pg_catalog", name)
    key = _KEYS.get(name, _first_oid(typed))
    if name in _WHOLE or not key:
        yield _hashed(row, order, table, sql.SQL(_LASTING if name == "pg_namespace" else ""))
        return
    limit = sql.Identifier(key), sql.Literal(_OWN)
    yield _hashed(row, order, table, sql.SQL("WHERE {} >= {}").format(*limit))
    grants = [sql.Identifier(one) for one in columns if typed[one] == "aclitem[]"]
    theirs = sql.SQL(" || ").join(
        [sql.SQL("xmin::text"), *(sql.SQL("coalesce({}::text, '')").format(one) for one in grants)]
    )
    yield _hashed(theirs, order, table, sql.SQL("WHERE {} < {}").format(*limit))


def _first_oid(typed: dict[str, str]) -> str:
    return "oid" if "oid" in typed else next((n for n, t in typed.items() if t == "oid"), "")


def _order(typed: dict[str, str]) -> sql.Composable | None:
    """By numbers, which is quick: the same rows have the same order wherever they lie."""
    names = ["oid"] if "oid" in typed else [n for n, t in typed.items() if t in _ORDERED]
    return sql.SQL(", ").join(map(sql.Identifier, names)) if names else None


def _hashed(
    row: sql.Composable, order: sql.Composable, table: sql.Composable, where: sql.Composable
) -> sql.Composed:
    """In the database's own encoding: some names can't be told in another."""
    return sql.SQL(
        "SELECT {} || encode(sha256(convert_to(coalesce(string_agg({}, '' ORDER BY {}), ''),"
        " getdatabaseencoding())), 'hex') FROM {} {}"
    ).format(f"{table.as_string()} {where.as_string()} ", row, order, table, where)
