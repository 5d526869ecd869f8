"""The safe form of a change, as SQL to copy."""

import re
from collections.abc import Sequence

from dayfly.database.impact.schema.names import quoted, unquoted

NAME_COLUMNS = (
    "-- Release 1: let the function name its columns and types, so that it works on both schemas.\n"
    "-- Release 2: this change."
)
QUALIFIED = (
    "-- Release 1: let its body name schemas throughout (public.orders), which works on any path.\n"
    "-- Release 2: this change."
)
REFRESHED = (
    "-- In one transaction, so that nobody finds it empty: make it, or refresh it, WITH DATA;\n"
    "-- or REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index on it."
)
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
ANOTHER_VIEW = (
    "-- Give the new release a view of another name.\n"
    "-- Drop this one after the outgoing release is retired."
)
SPLIT = "-- Move what takes long into a transaction of its own, before or after the one that locks."
KEEP_COUNTING = "-- Leave it out: what counts goes on where it is."
REPACK = "-- Use pg_repack, which copies the table without locking it; or do this inside a window."


def grant(right: str, what: str, role: str) -> str:
    return f'GRANT {right} ON {what} TO "{role}";  -- in the same transaction'


def undo(schema: str, table: str) -> str:
    """Keep what is overwritten or deleted."""
    prefix = "" if schema == "public" else f"{quoted(schema)}."
    kept, name = f"{prefix}{quoted(f'{table}_before')}", f"{prefix}{quoted(table)}"
    return f"-- First, in a migration of its own:\nCREATE TABLE {kept} AS SELECT * FROM {name};"  # noqa: S608 - to be read


def policy_first(table: str, role: str) -> str:
    """One that lets the application see its rows."""
    who = quoted(role) if role else "PUBLIC"
    return (
        "-- First, in a release of its own, let the application's role see its rows:\n"
        f"CREATE POLICY all_rows ON {table} TO {who} USING (true) WITH CHECK (true);"
    )


def continues(sequence: str, table: str, column: str) -> str:
    """From the largest key that is there."""
    name = sequence.replace("'", "''")
    return f"SELECT setval('{name}', (SELECT max({column}) FROM {table}));"  # noqa: S608 - to be read


def batches(table: str) -> str:
    return (
        "-- In a migration of its own, which changes some thousand rows at a time and commits\n"
        f"-- before it takes the next ones, by ranges of the key of {table}."
    )


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


def rename_table(old: str, new: str, grants: Sequence[str] = ()) -> str:
    """`grants`: what others may do with it, as "role:PRIVILEGE"."""
    rights = "".join(f"{_given(old, grant)}\n" for grant in grants)
    return (
        "-- In the same transaction a view keeps the old name until release 2:\n"  # noqa: S608 - to be read
        f"ALTER TABLE {old} RENAME TO {new.rpartition('.')[2]};\n"
        f"CREATE VIEW {old} AS SELECT * FROM {new};\n{rights}"
        f"-- Release 2 (or a contract migration):\nDROP VIEW {old};"
    )


def _given(name: str, grant: str) -> str:
    role, _, right = grant.rpartition(":")
    return f"GRANT {right} ON {name} TO {'PUBLIC' if role == 'public' else quoted(role)};"


def retype(table: str, column: str, kind: str) -> str:
    new = quoted(f"{unquoted(column)}_new")
    return (
        "-- Release 1: write both, read the old one; then fill the new one in batches:\n"
        f"ALTER TABLE {table} ADD COLUMN {new} {kind};\n"
        f"UPDATE {table} SET {new} = {column}::{kind} WHERE {new} IS NULL;\n"
        "-- Release 2: use the new one only. Then, as a contract migration:\n"
        f"ALTER TABLE {table} DROP COLUMN {column};"
    )


def not_null(table: str, column: str) -> str:
    return (
        "-- Release 1: always write it. Release 2, each in a transaction of its own:\n"
        f"{_proven(table, column)}"
    )


def _proven(table: str, column: str) -> str:
    name = quoted(f"{unquoted(column)}_not_null")
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID;\n"
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {name};\n"
        f"ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;\n"
        f"ALTER TABLE {table} DROP CONSTRAINT {name};"
    )


def add_required(table: str, column: str, kind: str) -> str:
    return (
        "-- Release 1: always write it:\n"
        f"ALTER TABLE {table} ADD COLUMN {column} {kind};\n"
        "-- Release 2: fill in what is missing. Then, each in a transaction of its own:\n"
        f"{_proven(table, column)}"
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


def unique_index(definition: str, table: str, columns: Sequence[str]) -> str:
    """`columns` only where it consists of nothing else."""
    listed = ", ".join(columns)
    doubles = f"SELECT {listed} FROM {table} GROUP BY {listed} HAVING count(*) > 1;\n"  # noqa: S608 - to be read
    return (
        "-- Release 1: write no duplicates any more, and clean those that are there"
        f"{f':{chr(10)}{doubles}' if columns else '.' + chr(10)}"
        f"-- Release 2. {concurrently(definition).removeprefix('-- ')}"
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


def another_function(definition: str) -> str:
    """In place of another body for one that an index calls."""
    safe = concurrently(definition).removeprefix("-- Outside a transaction:\n")
    return (
        "-- Release 1: a function of another name with the new body, and outside a transaction\n"
        "-- an index of another name on that, as this one is on the old function:\n"
        f"-- {safe}\n"
        "-- Release 2: use the new one only. Then, as a contract migration, drop the old index\n"
        "-- and the old function."
    )


def volatile_default(table: str, column: str, kind: str, default: str) -> str:
    return (
        "-- Each in a transaction of its own, the UPDATE in batches:\n"  # noqa: S608 - to be read
        f"ALTER TABLE {table} ADD COLUMN {column} {kind};\n"
        f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {default};\n"
        f"UPDATE {table} SET {column} = {default} WHERE {column} IS NULL;"
    )
