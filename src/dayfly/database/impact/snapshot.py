"""Read what a database consists of, in a handful of queries."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from dayfly.database.impact.catalogue import (
    Catalogue,
    Column,
    Constraint,
    Index,
    Policy,
    Relation,
    Routine,
    Rule,
    Schema,
    Thing,
    Trigger,
    Type,
)

_NO_DEFAULT = r"^NULL::[a-z0-9_ .,()]+(\[\])?$"  # kept for a type with a length
_OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"


def _grants(acl: str, kind: str, owner: str) -> str:
    return f"""ARRAY(
        SELECT coalesce(r.rolname, 'public') || ':' || a.privilege_type
        FROM aclexplode(coalesce({acl}, acldefault('{kind}', {owner}))) a
        LEFT JOIN pg_roles r ON r.oid = a.grantee ORDER BY 1)"""  # noqa: S608 - our own words


# Each kind with its query, and the column of that which names the relation it belongs to.
_READ: tuple[tuple[type[Thing], str, str], ...] = (
    (
        Schema,
        f"""SELECT n.oid::int8, n.nspname AS name,
            {_grants("n.nspacl", "n", "n.nspowner")} AS grants
        FROM pg_namespace n WHERE {_OURS}""",  # noqa: S608 - our own words
        "",
    ),
    (
        Relation,
        f"""SELECT c.oid::int8, c.relname AS name, n.nspname AS schema, c.relkind AS kind,
            pg_get_userbyid(c.relowner) AS owner,
            {_grants("c.relacl", "r", "c.relowner")} AS grants,
            c.relrowsecurity AS row_security, c.relforcerowsecurity AS forced,
            c.relpersistence AS persistence,
            coalesce((SELECT i.inhparent FROM pg_inherits i
                      WHERE i.inhrelid = c.oid AND c.relispartition LIMIT 1),
                     (SELECT d.refobjid FROM pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                        AND c.relkind = 'S' AND d.deptype IN ('a', 'i') LIMIT 1),
                     0)::int8 AS parent,
            coalesce(pg_get_expr(c.relpartbound, c.oid), '') AS bound,
            CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) ELSE '' END AS definition,
            CASE WHEN c.relkind = 'v' THEN pg_relation_is_updatable(c.oid, false)
                 ELSE 28 END AS writable
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND {_OURS}
          AND c.relpersistence <> 't'""",  # noqa: S608 - our own words
        "c.oid",
    ),
    (
        Column,
        f"""SELECT a.attrelid::int8 AS oid, a.attrelid::int8 AS table, a.attnum::int AS number,
            a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
            a.attnotnull AS not_null,
            CASE WHEN a.attgenerated <> '' OR pg_get_expr(d.adbin, d.adrelid) ~ '{_NO_DEFAULT}'
                 THEN '' ELSE coalesce(pg_get_expr(d.adbin, d.adrelid), '') END AS default,
            a.attgenerated <> '' AS generated, a.attidentity::text AS identity,
            CASE WHEN a.attacl IS NULL THEN ARRAY[]::text[]
                 ELSE {_grants("a.attacl", "c", "c.relowner")} END AS grants
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relpersistence <> 't'
          AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {_OURS}""",  # noqa: S608 - our own words
        "a.attrelid",
    ),
    (
        Constraint,
        f"""SELECT k.oid::int8, k.conrelid::int8 AS table, k.conname AS name, k.contype AS kind,
            pg_get_constraintdef(k.oid) AS definition, k.convalidated AS valid,
            coalesce(k.conkey::int[], ARRAY[]::int[]) AS columns,
            k.confrelid::int8 AS target, k.conindid::int8 AS index
        FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
        WHERE k.conrelid <> 0 AND k.contype <> 'n' AND {_OURS}""",  # noqa: S608 - our own words
        "k.conrelid",
    ),
    (
        Index,
        f"""SELECT i.indexrelid::int8 AS oid, i.indrelid::int8 AS table, c.relname AS name,
            pg_get_indexdef(i.indexrelid) AS definition, i.indisunique AS unique,
            i.indisvalid AS valid, i.indkey::int2[]::int[] AS columns,
            i.indpred IS NOT NULL AS partial
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OURS}""",  # noqa: S608 - our own words
        "i.indrelid",
    ),
    (
        Trigger,
        f"""SELECT t.oid::int8, t.tgrelid::int8 AS table, t.tgname AS name,
            pg_get_triggerdef(t.oid) AS definition, t.tgenabled AS enabled,
            t.tgfoid::int8 AS routine
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE NOT t.tgisinternal AND {_OURS}""",  # noqa: S608 - our own words
        "t.tgrelid",
    ),
    (
        Policy,
        """SELECT p.oid::int8, p.polrelid::int8 AS table, p.polname AS name,
            p.polpermissive AS permissive,
            concat_ws(' ', p.polcmd, p.polroles::text, pg_get_expr(p.polqual, p.polrelid), '/',
                      pg_get_expr(p.polwithcheck, p.polrelid)) AS definition
        FROM pg_policy p WHERE true""",
        "p.polrelid",
    ),
    (
        Rule,
        f"""SELECT r.oid::int8, r.ev_class::int8 AS table, r.rulename AS name,
            pg_get_ruledef(r.oid) AS definition
        FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE r.rulename <> '_RETURN' AND {_OURS}""",  # noqa: S608 - our own words
        "r.ev_class",
    ),
    (
        Routine,
        f"""SELECT p.oid::int8, p.proname AS name, n.nspname AS schema,
            pg_get_function_identity_arguments(p.oid) AS arguments,
            coalesce(pg_get_function_result(p.oid), '') AS result, l.lanname AS language,
            coalesce(p.prosrc, '') AS body,
            {_grants("p.proacl", "f", "p.proowner")} AS grants
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_language l ON l.oid = p.prolang
        WHERE {_OURS} AND NOT EXISTS (SELECT 1 FROM pg_depend e
            WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')""",  # noqa: S608 - our own words
        "",
    ),
    (
        Type,
        f"""SELECT t.oid::int8, t.typname AS name, n.nspname AS schema, t.typtype AS kind,
            ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid
                  ORDER BY e.enumsortorder) AS labels,
            ARRAY(SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k
                  WHERE k.contypid = t.oid ORDER BY 1)
            || CASE WHEN t.typnotnull THEN ARRAY['NOT NULL'] ELSE ARRAY[]::text[] END AS checks
        FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
        LEFT JOIN pg_class c ON c.oid = t.typrelid
        WHERE {_OURS} AND (t.typtype IN ('e', 'd') OR t.typtype = 'c' AND c.relkind = 'c')""",  # noqa: S608 - our own words
        "",
    ),
)


def snapshot(connection: psycopg.Connection[Any]) -> Catalogue:
    """Everything outside PostgreSQL's own schemas.

    Definitions name what lies outside `public` with its schema, whatever the migration's path is.
    """
    with _named_alike(connection):
        things = _all(connection, [(kind, query, ()) for kind, query, _ in _READ])
    return Catalogue({thing.key: thing for thing in things})


def renewed(
    connection: psycopg.Connection[Any], earlier: Catalogue, relations: Collection[int]
) -> Catalogue:
    """An earlier snapshot in which only these relations, and what belongs to them, may differ."""
    found = dict(earlier.without(relations))
    chosen = list(relations)
    asked = [
        (kind, f"{query} AND {column}::int8 = ANY(%s)", (chosen,))
        for kind, query, column in _READ
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
