"""The safe form of a change, as SQL to copy."""

import re

CONTRACT = (
    "-- Release 1: stop depending on it.\n"
    "-- Release 2 (or a contract migration, after the outgoing release is retired): this change."
)
WRITABLE_VIEW = (
    "-- Give the view every column of the table, from that one table, so that it can be written."
)
PREPARED = (
    "-- Most drivers prepare it again after one failure; psycopg 3 in autocommit only when it\n"
    "-- reconnects. Name the columns instead of *, or prepare nothing (prepare_threshold=None)."
)
CONTINUE = "SELECT setval('{name}', (SELECT max(id) FROM …));  -- the largest key there is"
ANOTHER_VIEW = (
    "-- Give the new release a view of another name.\n"
    "-- Drop this one after the outgoing release is retired."
)
POLICY_FIRST = (
    "-- First, in a release of its own, a policy that lets the application's role see its rows:\n"
    "CREATE POLICY app ON … TO … USING (true) WITH CHECK (true);"
)
BATCHES = (
    "-- In a migration of its own, in batches that commit one by one:\n"
    "-- UPDATE … WHERE id IN (SELECT id FROM … WHERE … LIMIT 1000); repeat until no row is left."
)
SPLIT = "-- Move what takes long into a transaction of its own, before or after the one that locks."
UNDO = "-- Keep what is overwritten or deleted first: CREATE TABLE …_before AS SELECT … ;"
REPACK = "-- Use pg_repack, which copies the table without locking it; or do this inside a window."


def grant(right: str, what: str, role: str) -> str:
    return f'GRANT {right} ON {what} TO "{role}";  -- in the same transaction'


def drop_later(statement: str) -> str:
    return f"-- Release 1: stop using it.\n-- Release 2 (or a contract migration):\n{statement};"


def drop_column(table: str, column: str, *, required: bool) -> str:
    first = "-- Release 1: stop reading and writing it"
    if required:
        first += f":\nALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL;"
    later = "-- Release 2 (or a contract migration):"
    return f"{first}\n{later}\nALTER TABLE {table} DROP COLUMN {column};"


def rename_column(table: str, old: str, new: str, kind: str) -> str:
    return (
        "-- Release 1: write both, read the old one; then fill the new one in batches:\n"
        f"ALTER TABLE {table} ADD COLUMN {new} {kind};\n"
        f"UPDATE {table} SET {new} = {old} WHERE {new} IS NULL;\n"
        "-- Release 2: use the new one only. Then, as a contract migration:\n"
        f"ALTER TABLE {table} DROP COLUMN {old};"
    )


def rename_table(old: str, new: str) -> str:
    return (
        "-- In the same transaction a view keeps the old name until release 2:\n"  # noqa: S608 - to be read
        f"ALTER TABLE {old} RENAME TO {new.rpartition('.')[2]};\n"
        f"CREATE VIEW {old} AS SELECT * FROM {new};\n"
        f"-- Release 2 (or a contract migration):\nDROP VIEW {old};"
    )


def retype(table: str, column: str, kind: str) -> str:
    new = f"{column.strip(chr(34))}_new"
    return (
        "-- Release 1: write both, read the old one; then fill the new one in batches:\n"
        f"ALTER TABLE {table} ADD COLUMN {new} {kind};\n"
        f"UPDATE {table} SET {new} = {column}::{kind} WHERE {new} IS NULL;\n"
        "-- Release 2: use the new one only. Then, as a contract migration:\n"
        f"ALTER TABLE {table} DROP COLUMN {column};"
    )


def not_null(table: str, column: str) -> str:
    name = f"{column.strip(chr(34))}_not_null"
    return (
        "-- Release 1: always write it. Release 2, each in a transaction of its own:\n"
        f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID;\n"
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {name};\n"
        f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;\n"
        f"ALTER TABLE {table} DROP CONSTRAINT {name};"
    )


def add_required(table: str, column: str, kind: str) -> str:
    return (
        "-- With a default that old inserts get, dropped in a later release:\n"
        f"ALTER TABLE {table} ADD COLUMN {column} {kind} NOT NULL DEFAULT …;"
    )


def keep_default(table: str, column: str, default: str) -> str:
    alter = f"ALTER TABLE {table} ALTER COLUMN {column}"
    return (
        f"{alter} SET DEFAULT {default};\n"
        f"-- when the outgoing release is retired:\n{alter} DROP DEFAULT;"
    )


def constraint(table: str, name: str, definition: str) -> str:
    """CHECK and FOREIGN KEY: now for new rows, then the old ones without a lock."""
    bare = definition.removesuffix(" NOT VALID")
    return (
        "-- Each in a transaction of its own:\n"
        f"ALTER TABLE {table} ADD CONSTRAINT {name} {bare} NOT VALID;\n"
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {name};"
    )


def unique(table: str, name: str, columns: str, word: str = "UNIQUE") -> str:
    return (
        "-- Outside a transaction, then with the finished index:\n"
        f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} {columns};\n"
        f"ALTER TABLE {table} ADD CONSTRAINT {name} {word} USING INDEX {name};"
    )


def concurrently(statement: str) -> str:
    """CREATE, DROP or REINDEX so that writers are not locked out."""
    safe = re.sub(
        r"(?i)\b(create\s+(?:unique\s+)?index|drop\s+index|reindex\s+\w+|refresh\s+materialized\s+view)\s+(?!concurrently)",
        lambda found: f"{found[1]} CONCURRENTLY ",
        statement.strip().rstrip(";"),
        count=1,
    )
    return f"-- Outside a transaction:\n{safe};"


def volatile_default(table: str, column: str, kind: str, default: str) -> str:
    return (
        "-- Each in a transaction of its own, the UPDATE in batches:\n"  # noqa: S608 - to be read
        f"ALTER TABLE {table} ADD COLUMN {column} {kind};\n"
        f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {default};\n"
        f"UPDATE {table} SET {column} = {default} WHERE {column} IS NULL;"
    )
