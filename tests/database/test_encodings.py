"""Databases that are not in UTF-8: asked, migrated and preserved like every other one."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from dayfly.database.answer import of_files
from dayfly.database.problems import user_of
from dayfly.database.question import Question
from dayfly.database.scratch import ScratchServer
from dayfly.database.sqlfiles import apply_files, pending_files
from migrating import asked, write

pytestmark = pytest.mark.postgres

ENCODINGS = [("LATIN1", "café"), ("SQL_ASCII", "Łódź €"), ("UTF8", "Łódź €")]
ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, name text); "


@pytest.fixture
def encoded(elsewhere: ScratchServer, encoding: str) -> Iterator[str]:
    """The URL of a database in that encoding, as its owner."""
    with elsewhere.database() as other:
        admin, name = elsewhere.url("postgres"), f"in_{encoding.lower()}"
        how = f"ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0 OWNER {user_of(other)}"
        asked(admin, f"CREATE DATABASE {name} {how}".encode())
        try:
            yield other.replace(f"/{other.rpartition('/')[2]}", f"/{name}")
        finally:
            asked(admin, f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.mark.parametrize(("encoding", "name"), ENCODINGS)
def test_what_a_migration_does_is_known_and_its_text_is_stored_as_it_stands_there(
    encoded: str, scratch: Path, tmp_path: Path, name: str
) -> None:
    with psycopg.connect(encoded, client_encoding="utf8", autocommit=True) as connection:
        connection.execute(f"{ORDERS} INSERT INTO orders VALUES (1, '{name}')".encode())
        connection.execute("ANALYZE orders")
    write(tmp_path, {"001.sql": f"UPDATE orders SET name = '{name} {name}' WHERE name = '{name}';"})

    found = of_files(Question(url=encoded, folder=scratch, budget=1.0, returns=True), tmp_path)
    assert found.impact.loses == ("orders.name",)
    assert found.restoration is not None
    assert found.restoration.why == ""

    apply_files(encoded, tmp_path)
    with psycopg.connect(encoded, client_encoding="utf8") as connection:
        assert connection.execute("SELECT name FROM orders").fetchone() == (f"{name} {name}",)
    assert pending_files(encoded, tmp_path) == ()
