"""Which function an expression means, of several of one name: what PostgreSQL has noted down.

Before 15 a generated column depends by itself on what its expression calls, not by its default.
"""

from collections.abc import Mapping

from dayfly.database.connection import connect
from dayfly.database.impact.schema.catalogue import Key

Uses = Mapping[Key, frozenset[int]]  # functions by the thing whose expression calls them
_USES = """
    SELECT CASE d.classid WHEN 'pg_constraint'::regclass THEN 'Constraint'
            WHEN 'pg_policy'::regclass THEN 'Policy'
            WHEN 'pg_class'::regclass THEN CASE d.objsubid WHEN 0 THEN 'Index' ELSE 'Column' END
            ELSE 'Column' END,
        coalesce(a.adrelid, d.objid)::int8, coalesce(a.adnum, d.objsubid)::int, d.refobjid::int8
    FROM pg_depend d
    LEFT JOIN pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
    WHERE d.refclassid = 'pg_proc'::regclass AND d.classid IN
        ('pg_constraint'::regclass, 'pg_policy'::regclass, 'pg_attrdef'::regclass,
         'pg_class'::regclass)
"""


def uses(url: str) -> Uses:
    found: dict[Key, frozenset[int]] = {}
    with connect(url, autocommit=True) as connection:
        for kind, oid, number, routine in connection.execute(_USES):
            key = (kind, oid, number)
            found[key] = found.get(key, frozenset()) | {routine}
    return found
