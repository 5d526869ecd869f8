"""Whatever a migration drops, renames, retypes or rewrites: schema and rows come back."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copies import Copies
from dayfly.database.scratch import ScratchServer
from preserving import Case, assert_as_before

pytestmark = pytest.mark.postgres

SCHEMA = (
    "CREATE TYPE size AS ENUM ('s', 'm')",
    "CREATE TABLE a (id serial PRIMARY KEY, n int NOT NULL DEFAULT 7, t varchar(9), s size)",
    "CREATE TABLE b (a int REFERENCES a, k text, n numeric(9, 2), d date, PRIMARY KEY (k))",
    "CREATE TABLE c (n bigint, t text, f boolean)",
    "CREATE INDEX ON a (t)",
    "CREATE UNIQUE INDEX ON b (n)",
    ("INSERT INTO a (n, t, s) SELECT i, CASE WHEN i % 3 > 0 THEN 't' || i END, 'm'"
    " FROM generate_series(1, 20) i"),
    "INSERT INTO b SELECT i, 'k' || i, i + 0.25, '2024-01-31' FROM generate_series(1, 20) i",
    "INSERT INTO c SELECT i % 3, 'x', i % 2 = 0 FROM generate_series(1, 20) i",
)  # fmt: skip
COLUMNS = {"a": ("id", "n", "t", "s"), "b": ("a", "k", "n", "d"), "c": ("n", "t", "f")}
TYPES = ("text", "bigint", "int", "varchar(2)", "numeric(5, 1)", "timestamptz")


@st.composite
def statements(draw: st.DrawFn) -> str:
    table = draw(st.sampled_from(list(COLUMNS)))
    column = draw(st.sampled_from(COLUMNS[table]))
    type_ = draw(st.sampled_from(TYPES))
    return draw(
        st.sampled_from([
            f"DROP TABLE {table} CASCADE",
            f"ALTER TABLE {table} RENAME TO {table}_new",
            f"ALTER TABLE {table} DROP COLUMN {column} CASCADE",
            f"ALTER TABLE {table} RENAME {column} TO {column}_new",
            f"ALTER TABLE {table} ALTER {column} TYPE {type_} USING {column}::text::{type_}",
            f"ALTER TABLE {table} ALTER {column} DROP DEFAULT",
            f"ALTER TABLE {table} ALTER {column} DROP NOT NULL",
            f"ALTER TABLE {table} ALTER {column} SET NOT NULL",
            f"ALTER TABLE {table} ADD COLUMN more int NOT NULL DEFAULT 3",
            f"CREATE UNIQUE INDEX ON {table} ({column})",
            f"UPDATE {table} SET {column} = NULL",
            f"DELETE FROM {table} WHERE {column} IS NOT NULL",
            f"TRUNCATE {table} CASCADE",
            f"CREATE TABLE new_{table} AS SELECT * FROM {table}",
            "ALTER TYPE size RENAME VALUE 'm' TO 'medium'",
        ])
    )  # fmt: skip


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer) -> Copies:
    return Copies.of(elsewhere, SCHEMA)


@contextmanager
def case(copies: Copies, folder: Path, programs: Path) -> Iterator[Case]:
    with copies.fresh() as url:
        yield Case(url, folder, programs)
    shutil.rmtree(folder, ignore_errors=True)


def possible(copies: Copies, wanted: list[str]) -> list[str]:
    """Those of them that PostgreSQL takes, one after the other."""
    done = []
    with copies.fresh() as url, psycopg.connect(url, autocommit=True) as connection:
        for statement in wanted:
            try:
                connection.execute(statement.encode())
            except psycopg.Error:
                continue
            done.append(statement)
    return done


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(wanted=st.lists(statements(), min_size=1, max_size=4))
def test_schema_and_rows_come_back(
    copies: Copies, tmp_path: Path, postgresql: Path, wanted: list[str]
) -> None:
    migration = possible(copies, wanted)
    with case(copies, tmp_path / "7", postgresql) as live:
        catalogue, rows = live.catalogue(), live.rows()
        live.migrated(live.losses(copies, *migration), *migration)

        live.back()

        assert_as_before(live, catalogue, rows)
