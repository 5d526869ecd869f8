"""What of a schema in SQL_ASCII is no text to anybody else: its bytes are no UTF-8."""

from contextlib import suppress

import psycopg

from dayfly.database.connection import connect
from dayfly.database.encoding import ANY

MANY = 8  # that are named
_TEXTS = """
    SELECT 'the comment on ' || pg_describe_object(classoid, objoid, objsubid), description
    FROM pg_description WHERE objoid >= 16384
    UNION ALL SELECT pg_describe_object('pg_attrdef'::regclass, oid, 0), pg_get_expr(adbin, adrelid)
    FROM pg_attrdef
    UNION ALL SELECT pg_describe_object('pg_constraint'::regclass, oid, 0),
        pg_get_constraintdef(oid)
    FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT pg_describe_object('pg_proc'::regclass, oid, 0), prosrc
    FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT pg_describe_object('pg_class'::regclass, oid, 0),
        relname || CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) ELSE '' END
    FROM pg_class WHERE oid >= 16384
    UNION ALL SELECT pg_describe_object('pg_class'::regclass, attrelid, attnum), attname
    FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0 AND NOT attisdropped
    UNION ALL SELECT 'a label of ' || pg_describe_object('pg_type'::regclass, enumtypid, 0),
        enumlabel
    FROM pg_enum
"""


def no_text(url: str) -> list[str]:
    """What holds such bytes, in the server's words; the first few."""
    found: list[str] = []
    with suppress(psycopg.Error), connect(url, autocommit=True, client_encoding=ANY) as connection:
        rows = connection.execute(_TEXTS).fetchall()
        found += [_shown(what) for what, text in rows if text and not _is_text(text)]
    return [*found[:MANY], "…"] if len(found) > MANY else found or ["names, defaults, comments"]


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _shown(raw: bytes) -> str:
    return raw.decode(errors="replace")
