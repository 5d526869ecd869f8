"""The questions that read a schema's details: what, what it says, SQL that sets it and unsets it.

Columns that only newer servers have are read by way of to_jsonb.
"""

from dayfly.database.preserve.beyond import (
    OTHER_RIGHTS,
    PUBLICATIONS,
    PUBLISHED,
    PUBLISHING,
)

ORDER = "the order of the columns of "
_OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_OF_TABLES = f"""
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relpersistence <> 't' AND {_OURS}"""
_NAME = "format('%I.%I', n.nspname, c.relname)"
_OF_COLUMNS = f"""
    FROM (SELECT a.*, {_NAME} AS t, format('ALTER TABLE ONLY %I.%I ALTER COLUMN %I ',
                 n.nspname, c.relname, a.attname) AS alter, to_jsonb(a) AS j,
                 y.typstorage, c.relkind
          FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
          JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relpersistence <> 't' AND a.attnum > 0 AND NOT a.attisdropped AND {_OURS}) x
    WHERE relkind IN ('r', 'p', 'm')"""  # noqa: S608 - our own words
_NOT_OF_AN_EXTENSION = """NOT EXISTS (SELECT FROM pg_depend e
    WHERE e.classid = '{0}'::regclass AND e.objid = {1} AND e.deptype = 'e')"""
_ROUTINE = "format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))"
_OF_ROUTINES = f"""
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE {_OURS} AND {_NOT_OF_AN_EXTENSION.format("pg_proc", "p.oid")}"""
_TYPE = "format('%I.%I', n.nspname, t.typname)"
_TYPES = """pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_class k ON k.oid = t.typrelid"""
_OF_TYPES = f"""
    WHERE {_OURS} AND (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND k.relkind = 'c')
    AND {_NOT_OF_AN_EXTENSION.format("pg_type", "t.oid")}"""
_STORAGE = """CASE {} WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN'
    ELSE 'EXTENDED' END"""

_ROUTINES = f"""
    SELECT 'the routine ' || {_ROUTINE}, pg_get_functiondef(p.oid), pg_get_functiondef(p.oid), ''
    {_OF_ROUTINES} AND p.prokind <> 'a'"""
_ROUTINE_OWNERS = f"""
    SELECT 'the owner of the routine ' || {_ROUTINE}, r.rolname::text,
        format('ALTER ROUTINE %s OWNER TO %I', {_ROUTINE}, r.rolname), ''
    {_OF_ROUTINES.replace("WHERE", "JOIN pg_roles r ON r.oid = p.proowner WHERE", 1)}"""
_TYPE_RIGHTS = f"""
    SELECT format('the right of %s to use the type %s', role, type), 'USAGE',
        format('GRANT USAGE ON TYPE %s TO %s', type, role),
        format('REVOKE USAGE ON TYPE %s FROM %s', type, role)
    FROM (SELECT {_TYPE} AS type, coalesce(quote_ident(r.rolname), 'PUBLIC') AS role
          FROM {_TYPES}
          CROSS JOIN aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) a
          LEFT JOIN pg_roles r ON r.oid = a.grantee
          {_OF_TYPES} AND a.grantee <> t.typowner) x"""  # noqa: S608 - our own words
_VIEW_DEFAULTS = f"""
    SELECT format('the default of %s.%I', {_NAME}, a.attname), pg_get_expr(d.adbin, d.adrelid),
        format('ALTER VIEW %s ALTER COLUMN %I SET DEFAULT %s', {_NAME}, a.attname,
               pg_get_expr(d.adbin, d.adrelid)),
        format('ALTER VIEW %s ALTER COLUMN %I DROP DEFAULT', {_NAME}, a.attname)
    {
    _OF_TABLES.replace(
        "WHERE",
        "JOIN pg_attribute a ON a.attrelid = c.oid"
        " JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE",
        1,
    )
}
    AND c.relkind = 'v'"""
_SEQUENCES = f"""
    SELECT 'the sequence ' || {_NAME}, y.says, format('ALTER SEQUENCE %s %s', {_NAME}, y.says), ''
    {
    _OF_TABLES.replace(
        "WHERE",
        '''JOIN pg_sequence s ON s.seqrelid = c.oid
        CROSS JOIN LATERAL (SELECT format(
            'AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s %s',
            format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqmax, s.seqstart,
            s.seqcache, CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END) AS says) y WHERE''',
        1,
    )
}"""
_STATISTICS = f"""
    SELECT 'the statistics ' || name,
        (SELECT string_agg(w, ' ' ORDER BY w) FROM regexp_split_to_table(says, '[ ,]+') w),
        format('DROP STATISTICS IF EXISTS %s; %s', name, says),
        format('DROP STATISTICS %s', name)
    FROM (SELECT format('%I.%I', n.nspname, s.stxname) AS name,
                 pg_get_statisticsobjdef(s.oid)
                 || CASE WHEN (to_jsonb(s) ->> 'stxstattarget')::int >= 0
                         THEN format('; ALTER STATISTICS %I.%I SET STATISTICS %s', n.nspname,
                                     s.stxname, to_jsonb(s) ->> 'stxstattarget')
                         ELSE '' END AS says
          FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
          WHERE {_OURS}) x"""  # noqa: S608 - our own words
_TARGETS = f"""
    SELECT format('the statistics target of %s.%I', t, attname), attstattarget::text,
        alter || 'SET STATISTICS ' || attstattarget, alter || 'SET STATISTICS -1'
    {_OF_COLUMNS} AND attstattarget >= 0"""
_STORED = f"""
    SELECT format('the storage of %s.%I', t, attname), attstorage::text,
        alter || 'SET STORAGE ' || {_STORAGE.format("attstorage")},
        alter || 'SET STORAGE ' || {_STORAGE.format("typstorage")}
    {_OF_COLUMNS} AND attstorage <> typstorage"""
_COMPRESSED = f"""
    SELECT format('the compression of %s.%I', t, attname), j ->> 'attcompression',
        alter || 'SET COMPRESSION '
        || CASE j ->> 'attcompression' WHEN 'l' THEN 'lz4' ELSE 'pglz' END,
        alter || 'SET COMPRESSION default'
    {_OF_COLUMNS} AND j ->> 'attcompression' <> ''"""
_COLUMN_OPTIONS = f"""
    SELECT format('the option %s of %s.%I', o.option_name, t, attname), o.option_value,
        alter || format('SET (%I = %L)', o.option_name, o.option_value),
        alter || format('RESET (%I)', o.option_name)
    {_OF_COLUMNS.replace(") x", ") x CROSS JOIN pg_options_to_table(x.attoptions) o")}"""
_OPTIONS = f"""
    SELECT format('the option %s of %s', o.option_name, {_NAME}), coalesce(o.option_value, ''),
        format('ALTER %s %s SET (%I = %L)', k.word, {_NAME}, o.option_name, o.option_value),
        format('ALTER %s %s RESET (%I)', k.word, {_NAME}, o.option_name)
    {
    _OF_TABLES.replace(
        "WHERE",
        '''CROSS JOIN pg_options_to_table(c.reloptions) o
        JOIN (VALUES ('r', 'TABLE'), ('p', 'TABLE'), ('v', 'VIEW'), ('m', 'MATERIALIZED VIEW'),
                     ('i', 'INDEX'), ('I', 'INDEX')) k (kind, word) ON k.kind = c.relkind::text
        WHERE''',
        1,
    )
}"""
_TOAST_OPTIONS = f"""
    SELECT format('the option toast.%s of %s', o.option_name, {
    _NAME
}), coalesce(o.option_value, ''),
        format('ALTER TABLE %s SET (toast.%I = %L)', {_NAME}, o.option_name, o.option_value), ''
    {
    _OF_TABLES.replace(
        "WHERE",
        "JOIN pg_class k ON k.oid = c.reltoastrelid"
        " CROSS JOIN pg_options_to_table(k.reloptions) o WHERE",
        1,
    )
} AND c.relkind IN ('r', 'm')"""
_RULES = f"""
    SELECT format('the rule %I of %s', r.rulename, {_NAME}), r.ev_enabled::text,
        format('ALTER TABLE %s %s RULE %I', {_NAME}, CASE r.ev_enabled WHEN 'D' THEN 'DISABLE'
               WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, r.rulename),
        format('ALTER TABLE %s ENABLE RULE %I', {_NAME}, r.rulename)
    {_OF_TABLES.replace("WHERE", "JOIN pg_rewrite r ON r.ev_class = c.oid WHERE", 1)}
    AND r.ev_enabled <> 'O'"""
_INDEXED = _OF_TABLES.replace(
    "WHERE",
    "JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid WHERE",
    1,
)
_CLUSTERED = f"""
    SELECT format('the order of the rows of %s on disk', {_NAME}), x.relname::text,
        format('ALTER TABLE %s CLUSTER ON %I', {_NAME}, x.relname),
        format('ALTER TABLE %s SET WITHOUT CLUSTER', {_NAME})
    {_INDEXED} AND i.indisclustered"""
_REPLICATED = f"""
    SELECT format('what tells the rows of %s to subscribers', {_NAME}),
        coalesce(x.relname, c.relreplident::text),
        format('ALTER TABLE ONLY %s REPLICA IDENTITY %s', {_NAME}, CASE c.relreplident
               WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING'
               ELSE format('USING INDEX %I', x.relname) END),
        format('ALTER TABLE ONLY %s REPLICA IDENTITY DEFAULT', {_NAME})
    {
    _OF_TABLES.replace(
        "WHERE",
        "LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisreplident"
        " LEFT JOIN pg_class x ON x.oid = i.indexrelid WHERE",
        1,
    )
}
    AND c.relkind IN ('r', 'p') AND c.relreplident <> 'd'"""
_COMMENTS = """
    SELECT format('the comment on %s %s', lower(k.word), o.identity), d.description,
        format('COMMENT ON %s %s IS %L', k.word, o.identity, d.description),
        format('COMMENT ON %s %s IS NULL', k.word, o.identity)
    FROM pg_description d
    CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) o
    JOIN (VALUES ('table', 'TABLE'), ('view', 'VIEW'), ('materialized view', 'MATERIALIZED VIEW'),
        ('foreign table', 'FOREIGN TABLE'), ('sequence', 'SEQUENCE'), ('index', 'INDEX'),
        ('table column', 'COLUMN'), ('view column', 'COLUMN'), ('foreign table column', 'COLUMN'),
        ('materialized view column', 'COLUMN'), ('function', 'FUNCTION'), ('schema', 'SCHEMA'),
        ('procedure', 'PROCEDURE'), ('aggregate', 'AGGREGATE'), ('type', 'TYPE'),
        ('table constraint', 'CONSTRAINT'), ('trigger', 'TRIGGER'), ('policy', 'POLICY'),
        ('rule', 'RULE'), ('statistics object', 'STATISTICS')) k (type, word) ON k.type = o.type
    WHERE d.objoid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend e
        WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')"""
_COLUMNS = f"""
    SELECT '{ORDER}' || {_NAME}, string_agg(a.attname, ', ' ORDER BY a.attnum),
        '', ''
    {_OF_TABLES.replace("WHERE", "JOIN pg_attribute a ON a.attrelid = c.oid WHERE", 1)}
    AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND a.attnum > 0 AND NOT a.attisdropped GROUP BY n.nspname, c.relname"""

# With whether rights hang on it; comments last, since they lie on the others.
QUESTIONS: tuple[tuple[str, bool], ...] = (
    (_ROUTINES, True),
    (_ROUTINE_OWNERS, True),
    (_TYPE_RIGHTS, True),
    (OTHER_RIGHTS, False),
    (_VIEW_DEFAULTS, True),
    (_SEQUENCES, False),
    (_STATISTICS, False),
    (_TARGETS, False),
    (_STORED, False),
    (_COMPRESSED, False),
    (_COLUMN_OPTIONS, False),
    (_OPTIONS, False),
    (_TOAST_OPTIONS, False),
    (_RULES, True),
    (_CLUSTERED, False),
    (_REPLICATED, False),
    (PUBLICATIONS, False),
    (PUBLISHING, False),
    (PUBLISHED, False),
    (_COMMENTS, False),
    (_COLUMNS, False),
)
