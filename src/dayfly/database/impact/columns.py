"""New columns, of which each row that is there gets a value: in steps, beside other work."""

from dayfly.database.impact import remedies
from dayfly.database.impact.schema.catalogue import Column
from dayfly.database.impact.schema.names import literal, quoted

FILLED = f"{remedies.ALONE}, the UPDATE in batches:"


def volatile_default(table: str, column: Column, sequence: str = "") -> str:
    """`sequence`: one that comes with the column."""
    told = [FILLED]
    if sequence:
        told.append(f"CREATE SEQUENCE {sequence} AS {column.type};")
    told.append(_bare(table, column))
    if sequence:
        told.append(f"ALTER SEQUENCE {sequence} OWNED BY {table}.{quoted(column.name)};")
    return "\n".join([*told, *_filled(table, column, column.default)])


def identity(table: str, column: Column) -> str:
    """Another sequence numbers the rows until its own takes over."""
    name = quoted(column.name)
    sequence = quoted(f"{column.name}_filling")
    alter = f"ALTER TABLE {table} ALTER COLUMN {name}"
    kind = "ALWAYS" if column.identity == "a" else "BY DEFAULT"
    next_value = f"nextval({literal(sequence)})"
    own = f"pg_get_serial_sequence({literal(table)}, {literal(column.name)})"
    told = [
        FILLED,
        _bare(table, column),
        f"CREATE SEQUENCE {sequence} AS {column.type};",
        *_filled(table, column, next_value),
        "-- In one transaction:",
        f"{alter} DROP DEFAULT;",
        f"{alter} ADD GENERATED {kind} AS IDENTITY;",
        f"SELECT setval({own}, {next_value});",
        f"DROP SEQUENCE {sequence};",
    ]
    return "\n".join(told)


def _bare(table: str, column: Column) -> str:
    collated = f" COLLATE {column.collation}" if column.collation else ""
    return f"ALTER TABLE {table} ADD COLUMN {quoted(column.name)} {column.type}{collated};"


def _filled(table: str, column: Column, value: str) -> list[str]:
    name = quoted(column.name)
    return [
        f"ALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT {value};",
        f"UPDATE {table} SET {name} = {value} WHERE {name} IS NULL;",  # noqa: S608 - to be read
        *([remedies.proven(table, name)] if column.not_null else []),
    ]


def add_column(table: str, column: Column) -> str:
    default = f" DEFAULT {column.default}" if column.default else ""
    required = " NOT NULL" if column.not_null else ""
    return f"{_bare(table, column).removesuffix(';')}{default}{required};"
