"""The questions that read what a database consists of: one for each kind of thing."""

from dayfly.database.impact.schema.catalogue import (
    Column,
    Constraint,
    Index,
    Policy,
    Relation,
    Routine,
    Rule,
    Schema,
    Sequence,
    Thing,
    Trigger,
    Type,
)

_NO_DEFAULT = r"^NULL::[a-z0-9_ .,()]+(\[\])?$"  # kept for a type with a length
_OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

_OWNING = """(SELECT d.refobjsubid FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND c.relkind = 'S'"""

# Of a function in pg_proc p, of the language l. In SQL of the standard it has no text of its own.
BODY = """CASE WHEN p.prosrc = '' AND l.lanname = 'sql' AND p.prokind IN ('f', 'p')
    THEN pg_get_functiondef(p.oid) ELSE coalesce(p.prosrc, '') END"""
NOTED = """ARRAY(SELECT d.refobjid::int8 FROM pg_depend d
    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
      AND d.refclassid = 'pg_proc'::regclass)"""


def _grants(acl: str, kind: str, owner: str) -> str:
    return f"""ARRAY(
        SELECT coalesce(r.rolname, 'public') || ':' || a.privilege_type
        FROM aclexplode(coalesce({acl}, acldefault('{kind}', {owner}))) a
        LEFT JOIN pg_roles r ON r.oid = a.grantee ORDER BY 1)"""  # noqa: S608 - our own words


# Each kind with its query, and the column of that which names the relation it belongs to.
KINDS: tuple[tuple[type[Thing], str, str], ...] = (
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
            coalesce({_OWNING} AND d.deptype IN ('a', 'i') LIMIT 1), 0)::int AS numbers,
            EXISTS {_OWNING} AND d.deptype = 'i') AS of_identity,
            coalesce(pg_get_expr(c.relpartbound, c.oid), '') AS bound,
            CASE WHEN c.relispartition THEN coalesce(pg_get_partition_constraintdef(c.oid), '')
                 ELSE '' END AS takes,
            CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid, true)
                 ELSE '' END AS definition,
            CASE WHEN c.relkind = 'v' THEN pg_relation_is_updatable(c.oid, false)
                 ELSE 28 END AS writable,
            CASE WHEN c.relkind = 'v' THEN coalesce(c.reloptions, ARRAY[]::text[])
                 ELSE ARRAY[]::text[] END AS options,
            c.relispopulated AS populated,
            ARRAY(SELECT i.inhparent::int8 FROM pg_inherits i
                  WHERE i.inhrelid = c.oid AND NOT c.relispartition ORDER BY 1) AS inherits,
            c.relreplident::text AS identity,
            c.relkind IN ('r', 'p') AND (n.nspname, c.relname) IN (
                SELECT t.schemaname, t.tablename
                FROM pg_publication p JOIN pg_publication_tables t USING (pubname)
                WHERE p.pubupdate OR p.pubdelete
            ) AND NOT EXISTS (
                SELECT FROM pg_index i WHERE i.indrelid = c.oid
                AND (c.relreplident = 'd' AND i.indisprimary
                     OR c.relreplident = 'i' AND i.indisreplident)
            ) AND c.relreplident <> 'f' AS unidentified
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
                 ELSE {_grants("a.attacl", "c", "c.relowner")} END AS grants,
            CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid)
                 ELSE '' END AS expression,
            coalesce((SELECT l.collname FROM pg_collation l
                      WHERE l.oid = a.attcollation AND NOT l.collisdeterministic), '') AS lenient,
            coalesce((SELECT quote_ident(s.nspname) || '.' || quote_ident(l.collname)
                      FROM pg_collation l JOIN pg_namespace s ON s.oid = l.collnamespace
                      JOIN pg_type t ON t.oid = a.atttypid
                      WHERE l.oid = a.attcollation AND l.oid <> t.typcollation), '') AS collation
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
            k.confrelid::int8 AS target, k.conindid::int8 AS index,
            k.conparentid::int8 AS parent,
            k.contype <> 'f' OR NOT EXISTS (
                SELECT FROM pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled IN ('D', 'R')
            ) AS enforced
        FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
        WHERE k.conrelid <> 0 AND k.contype <> 'n' AND {_OURS}""",  # noqa: S608 - our own words
        "k.conrelid",
    ),
    (
        Index,
        f"""SELECT i.indexrelid::int8 AS oid, i.indrelid::int8 AS table, c.relname AS name,
            pg_get_indexdef(i.indexrelid) AS definition, i.indisunique AS unique,
            i.indisvalid AS valid, i.indkey::int2[]::int[] AS columns,
            i.indpred IS NOT NULL AS partial,
            coalesce((SELECT h.inhparent FROM pg_inherits h WHERE h.inhrelid = c.oid), 0)::int8
                AS parent,
            coalesce((SELECT s.spcname FROM pg_tablespace s WHERE s.oid = c.reltablespace), '')
                AS tablespace
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OURS}""",  # noqa: S608 - our own words
        "i.indrelid",
    ),
    (
        Sequence,
        f"""SELECT s.seqrelid::int8 AS oid, s.seqrelid::int8 AS table, c.relname AS name,
            s.seqincrement AS increment, s.seqmin AS least, s.seqmax AS most,
            s.seqcycle AS cycles, s.seqstart AS start
        FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {_OURS} AND c.relpersistence <> 't'""",  # noqa: S608 - our own words
        "s.seqrelid",
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
            pg_get_ruledef(r.oid) AS definition, r.ev_enabled AS enabled
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
            {BODY} AS body,
            {_grants("p.proacl", "f", "p.proowner")} AS grants,
            ARRAY[p.pronargs - p.pronargdefaults,
                  CASE WHEN p.provariadic <> 0 THEN 100 ELSE p.pronargs END]::int[] AS takes,
            p.prosrc = '' AND l.lanname = 'sql' AS parsed, {NOTED} AS calls,
            p.proisstrict AS strict, p.prosecdef AS definer,
            coalesce(p.proconfig, ARRAY[]::text[]) AS settings
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
            || CASE WHEN t.typnotnull THEN ARRAY['NOT NULL'] ELSE ARRAY[]::text[] END AS checks,
            coalesce(t.typdefault, '') AS default,
            CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod)
                 ELSE '' END AS base,
            ARRAY(SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
                  FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0
                  AND NOT a.attisdropped AND t.typtype = 'c' ORDER BY a.attnum) AS attributes
        FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
        LEFT JOIN pg_class c ON c.oid = t.typrelid
        WHERE {_OURS} AND (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind = 'c')""",  # noqa: S608 - our own words
        "",
    ),
)
