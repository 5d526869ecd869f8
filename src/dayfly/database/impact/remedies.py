"""The safe form of a change, as SQL to copy."""

import re
from collections.abc import Iterable, Sequence

from dayfly.database.impact.schema.names import quoted, unquoted
from dayfly.database.sqltext import significant

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
WINDOW = "-- Do this inside a window: it has no form that lets others work meanwhile."
COPIES = (
    "-- Do this inside a window: it copies the table. Or let it be a plain column that a trigger\n"
    "-- fills, and fill the rows that are there in batches."
)
REPACK = "-- Use pg_repack, which copies the table without locking it; or do this inside a window."

_BOTH = (
    "-- Release 1: write both, read the old one; give the new one what stands on the old one\n"
    "-- (default, constraints, indexes), then fill it in batches:"
)
ALONE = "-- Each in a transaction of its own"
_OUTSIDE = "-- Outside a transaction:"
_INDEX = ("index",)
_OF_WHAT = {"reindex": ("index", "table", "schema", "database"), "refresh": ("view",)}


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
        f"{_BOTH}\n"
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
        f"{_BOTH}\n"
        f"ALTER TABLE {table} ADD COLUMN {new} {kind};\n"
        f"UPDATE {table} SET {new} = {column}::{kind} WHERE {new} IS NULL;\n"
        "-- Release 2: use the new one only. Then, as a contract migration:\n"
        f"ALTER TABLE {table} DROP COLUMN {column};"
    )


def not_null(table: str, column: str) -> str:
    return (
        "-- Release 1: always write it. Release 2, each in a transaction of its own:\n"
        f"{proven(table, column)}"
    )


def proven(table: str, column: str) -> str:
    """NOT NULL that is known before it is set."""
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
        f"{proven(table, column)}"
    )


def keep_default(table: str, column: str, default: str) -> str:
    alter = f"ALTER TABLE {table} ALTER COLUMN {column}"
    return (
        f"{alter} SET DEFAULT {default};\n"
        f"-- when the outgoing release is retired:\n{alter} DROP DEFAULT;"
    )


def steps(statements: Iterable[str]) -> str:
    """One after the other; no index can be built in a transaction without a lock."""
    listed = [*statements]
    told, building = "\n".join(listed), [each for each in listed if " CONCURRENTLY " in each]
    if building == listed:
        return f"{_OUTSIDE}\n{told}"
    return f"{ALONE}{', CONCURRENTLY outside one' if building else ''}:\n{told}"


def validated(table: str, name: str, definition: str) -> list[str]:
    """CHECK and FOREIGN KEY: now for new rows, then the old ones without a lock."""
    bare = definition.removesuffix(" NOT VALID")
    return [
        f"ALTER TABLE {table} ADD CONSTRAINT {name} {bare} NOT VALID;",
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {name};",
    ]


def exclusion(table: str, name: str, definition: str) -> str:
    return (
        "-- PostgreSQL builds it under a lock, in whatever form: do this inside a window:\n"
        f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition};"
    )


def partition(statements: Iterable[str], *, apart: bool) -> str:
    """`apart`: the default partition stops taking its rows a little earlier."""
    told = steps(statements)
    waits = "-- Until the partition is there, rows of its range are refused.\n"
    return f"{waits}{told}" if apart else told


def unique_index(safe: str, table: str, columns: Sequence[str]) -> str:
    """`columns` only where it consists of nothing else."""
    listed = ", ".join(columns)
    doubles = f"SELECT {listed} FROM {table} GROUP BY {listed} HAVING count(*) > 1;\n"  # noqa: S608 - to be read
    return (
        "-- Release 1: write no duplicates any more, and clean those that are there"
        f"{f':{chr(10)}{doubles}' if columns else '.' + chr(10)}"
        f"-- Release 2. {safe.removeprefix('-- ')}"
    )


def concurrently(statement: str) -> str:
    return f"{_OUTSIDE}\n{without_lock(statement)};"


def without_lock(statement: str) -> str:
    """CREATE, DROP, REINDEX or REFRESH so that writers are not locked out, where there is a way."""
    bare = statement.strip().rstrip(";")
    words = significant(bare)
    first = words[0].word if words else ""
    kinds = _OF_WHAT.get(first, _INDEX)
    place = next((at for at, token in enumerate(words) if at and token.word in kinds), None)
    if place is None:
        return bare
    end = words[place].start + len(words[place].text)
    already = [token.word for token in words[place + 1 : place + 2]] == ["concurrently"]
    return bare if already else f"{bare[:end]} CONCURRENTLY{bare[end:]}"


def in_tablespace(definition: str, tablespace: str) -> str:
    """An index as PostgreSQL shows it, with its place, which that leaves out."""
    if not tablespace:
        return definition
    where = [token.start - 1 for token in significant(definition) if token.text == "WHERE"]
    end = where[-1] if where else len(definition)
    return f"{definition[:end]} TABLESPACE {quoted(tablespace)}{definition[end:]}"


def storage(definition: str) -> str:
    """` WITH (fillfactor='70')` at the end of an index as PostgreSQL shows it."""
    found = re.search(r" WITH \([^()]*\)$", definition)
    return found[0] if found else ""


def another_function(definition: str) -> str:
    """In place of another body for one that an index calls."""
    return (
        "-- Release 1: a function of another name with the new body, and outside a transaction\n"
        "-- an index of another name on that, as this one is on the old function:\n"
        f"-- {without_lock(definition)};\n"
        "-- Release 2: use the new one only. Then, as a contract migration, drop the old index\n"
        "-- and the old function."
    )


def as_for(table: str) -> str:
    return f"-- As for {table}, to which it belongs."


def refreshed(statement: str, table: str, *, unique: bool) -> str:
    """CONCURRENTLY tells the rows apart by a unique index."""
    needs = f"-- First, a unique index of columns of {table}, without WHERE. Then:\n"
    return f"{'' if unique else needs}{without_lock(statement)};"
