"""Statements whose effect no replay sees, sent as they are or by code that is run."""

import re
from collections.abc import Iterator

from dayfly.database.impact.breaking.besides import KNOWN
from dayfly.database.impact.code.bodies import Body
from dayfly.database.impact.words import tokens

# PostgreSQL's words for statements whose effect the replay sees, or that have none on others.
_SEEN = (
    "ALTER AGGREGATE", "ALTER DEFAULT PRIVILEGES", "ALTER DOMAIN", "ALTER FUNCTION", "ALTER INDEX",
    "ALTER MATERIALIZED VIEW", "ALTER POLICY", "ALTER PROCEDURE", "ALTER ROUTINE", "ALTER SCHEMA",
    "ALTER SEQUENCE", "ALTER TABLE", "ALTER TRIGGER", "ALTER TYPE", "ALTER VIEW", "ANALYZE",
    "CALL", "CLOSE CURSOR", "CLUSTER", "COMMENT", "COPY", "CREATE", "DEALLOCATE", "DECLARE CURSOR",
    "DELETE", "DISCARD", "DO", "DROP AGGREGATE", "DROP DOMAIN", "DROP FUNCTION",
    "DROP INDEX", "DROP MATERIALIZED VIEW", "DROP OWNED", "DROP POLICY", "DROP PROCEDURE",
    "DROP ROUTINE", "DROP SCHEMA", "DROP SEQUENCE", "DROP STATISTICS", "DROP TABLE",
    "DROP TRIGGER", "DROP TYPE", "DROP VIEW", "EXECUTE", "EXPLAIN", "FETCH", "GRANT", "INSERT",
    "LISTEN", "LOCK", "MERGE", "MOVE", "NOTIFY", "PREPARE", "REASSIGN OWNED", "REFRESH",
    "REINDEX", "RESET", "REVOKE", "SELECT", "SET", "SHOW", "TRUNCATE", "UNLISTEN", "UPDATE",
    "VACUUM", "WITH", *KNOWN,
)  # fmt: skip
_NOT_SEEN = (
    "CREATE CAST", "CREATE EVENT TRIGGER", "CREATE OPERATOR", "CREATE SUBSCRIPTION",
    "CREATE DATABASE", "CREATE TABLESPACE", "REVOKE ROLE",
)  # fmt: skip
# Rights on these are not looked at.
_STRANGE_RIGHTS = {"DATABASE", "DOMAIN", "LANGUAGE", "LARGE", "PARAMETER", "TABLESPACE", "TYPE"}
_RUN = re.compile(r"(?:^changes the schema: |')\s*((?:ALTER|CREATE|DROP)\b[^';]*)", re.IGNORECASE)
_REVOKED = re.compile(r"\bREVOKE\b[^;']*", re.IGNORECASE)
_LARGE_OBJECTS = re.compile(
    r"lo_unlink\b.*\bpg_largeobject|\bDELETE\s+FROM\s+(pg_catalog\.)?pg_largeobject",
    re.IGNORECASE | re.DOTALL,
)
_SHOWN = 2  # words of a statement


def strange(tag: str, text: str) -> bool:
    """By PostgreSQL's word for it, and its own words."""
    if tag == "REVOKE":
        return bool(_STRANGE_RIGHTS & set(tokens(text)))
    if _LARGE_OBJECTS.search(text):
        return True
    return bool(tag) and (not tag.startswith(_SEEN) or tag.startswith(_NOT_SEEN))


def run_by(body: Body, text: str) -> Iterator[str]:
    """The strange ones among those that code runs; `text` is that of the statement itself."""
    for reason in (*body.unread, *body.hidden):
        for found in _RUN.findall(reason):
            words = " ".join(tokens(found))
            if strange(words, found):
                yield " ".join(words.split()[:_SHOWN])
    for found in _REVOKED.findall(text):
        if strange("REVOKE", found):
            yield "REVOKE"
