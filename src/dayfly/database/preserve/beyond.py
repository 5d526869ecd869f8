"""The questions that read what is of the whole database: rights, publications. See `detailing`."""

_NAME = "format('%I.%I', n.nspname, c.relname)"
# Of the whole database. Exports of older Dayflies lack these, so nothing here is ever taken away.
OTHER_RIGHTS = """
    SELECT format('the right of %s to %s of the %s', who, may, thing), 'granted', sets, ''
    FROM (
        SELECT coalesce(quote_ident(r.rolname), 'PUBLIC') AS who, a.privilege_type AS may,
            format('language %I', l.lanname) AS thing,
            format('GRANT %s ON LANGUAGE %I TO %s', a.privilege_type, l.lanname,
                   coalesce(quote_ident(r.rolname), 'PUBLIC')) AS sets
        FROM pg_language l CROSS JOIN aclexplode(coalesce(l.lanacl, acldefault('l', l.lanowner))) a
        LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE l.lanpltrusted AND a.grantee <> l.lanowner
        UNION ALL
        SELECT coalesce(quote_ident(r.rolname), 'PUBLIC'), a.privilege_type, 'database',
            format('DO $$BEGIN EXECUTE format(''GRANT %s ON DATABASE %%I TO %s'', '
                   'current_database()); END$$', a.privilege_type,
                   coalesce(replace(quote_ident(r.rolname), '%', '%%'), 'PUBLIC'))
        FROM pg_database d CROSS JOIN aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
        LEFT JOIN pg_roles r ON r.oid = a.grantee
        WHERE d.datname = current_database() AND a.grantee <> d.datdba
    ) x"""
PUBLICATIONS = """
    SELECT format('the publication %I', p.pubname), 'there',
        format('CREATE PUBLICATION %I%s', p.pubname,
               CASE WHEN p.puballtables THEN ' FOR ALL TABLES' ELSE '' END), ''
    FROM pg_publication p"""
PUBLISHING = """
    SELECT format('what the publication %I publishes', pubname), says,
        format('ALTER PUBLICATION %I SET (%s)', pubname, says), ''
    FROM (SELECT p.pubname, format('publish = %L', concat_ws(', ',
                 CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                 CASE WHEN p.pubdelete THEN 'delete' END,
                 CASE WHEN p.pubtruncate THEN 'truncate' END))
             || CASE WHEN to_jsonb(p) ->> 'pubviaroot' = 'true'
                     THEN ', publish_via_partition_root = true' ELSE '' END AS says
          FROM pg_publication p) x"""
PUBLISHED = f"""
    SELECT format('the place of %s in the publication %I', {_NAME}, p.pubname),
        concat_ws(' ', 'published', j ->> 'prattrs', j ->> 'prqual'),
        CASE WHEN j ->> 'prattrs' IS NULL AND j ->> 'prqual' IS NULL
             THEN format('ALTER PUBLICATION %I ADD TABLE ONLY %s', p.pubname, {_NAME})
             ELSE '' END,
        format('ALTER PUBLICATION %I DROP TABLE %s', p.pubname, {_NAME})
    FROM pg_publication p JOIN (SELECT r.*, to_jsonb(r) AS j FROM pg_publication_rel r) r
        ON r.prpubid = p.oid
    JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"""  # noqa: S608 - our own words
