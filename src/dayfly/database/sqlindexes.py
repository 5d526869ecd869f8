"""Indexes that CONCURRENTLY left invalid when it failed: nobody uses them; they check nothing."""

from psycopg import Connection

from dayfly.database.sqltext import significant

_INVALID = """
    SELECT i.indexrelid::regclass::text FROM pg_index i
    JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
    WHERE NOT i.indisvalid AND c.relname = %s
"""


def index_of(statement: str) -> str:
    """The name in a CREATE INDEX CONCURRENTLY; empty for anything else, and where none is given."""
    found = significant(statement)
    words = [token.word for token in found]
    if words[:1] != ["create"] or "concurrently" not in words[:4] or "index" not in words[:3]:
        return ""
    at = words.index("concurrently") + 1
    if words[at : at + 3] == ["if", "not", "exists"]:
        at += 3
    return words[at] if at < len(words) and found[at].text.lower() != "on" else ""


def invalid(connection: Connection, name: str) -> str:
    """The index of this name that is there and invalid, as SQL names it; else empty."""
    row = connection.execute(_INVALID, (name,)).fetchone() if name else None
    return str(row[0]) if row else ""


def removed_by(index: str) -> str:
    return f"DROP INDEX CONCURRENTLY {index};"
