"""What was made again becomes what it was: its rights, and where its sequences stood."""

from dataclasses import replace
from typing import Any

from psycopg import Connection, sql

from dayfly.database.impact.schema.snapshot import snapshot
from dayfly.database.preserve.manifest import Manifest
from dayfly.database.preserve.pairing import Pairing
from dayfly.database.preserve.rights import Rights


def renewed(connection: Connection[Any], pairing: Pairing) -> Pairing:
    return replace(pairing, now=snapshot(connection))


def rights(connection: Connection[Any], pairing: Pairing) -> tuple[str, ...]:
    """It came with rights that nobody had given to it: those of PUBLIC, and default ones."""
    return tuple(Rights(renewed(connection, pairing)).given())


def sequences(connection: Connection[Any], pairing: Pairing, manifest: Manifest) -> None:
    """They go on where they were."""
    made = {(old.schema, old.name) for old in pairing.missing() if old.kind == "S"}
    for sequence in manifest.sequences:
        if (sequence.schema, sequence.name) in made:
            name = sql.Identifier(sequence.schema, sequence.name)
            row = connection.execute(
                sql.SQL("SELECT greatest(last_value, {}), {}::regclass::text FROM {}").format(
                    sql.Literal(sequence.last), sql.Literal(name.as_string(connection)), name
                )
            ).fetchone()
            if row:
                connection.execute("SELECT setval(%s::regclass, %s)", (row[1], row[0]))
