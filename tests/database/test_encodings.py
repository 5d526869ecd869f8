"""Databases that are not in UTF-8: asked, migrated and preserved like every other one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from dayfly.database.answer import of_command, of_files
from dayfly.database.capture import CaptureError, Run
from dayfly.database.failing import failing
from dayfly.database.problems import user_of
from dayfly.database.programs import DatabaseError
from dayfly.database.question import Question
from dayfly.database.scratch import ScratchServer
from dayfly.database.sqlfiles import apply_files, pending_files
from dayfly.database.sqlnames import SqlFileError
from migrating import alembic_project, asked, django_project, write

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


LATIN = pytest.mark.parametrize("encoding", ["LATIN1"])
NO_SIGN = "LATIN1, the encoding of the database, has no sign for"


@LATIN
def test_a_file_with_a_sign_that_the_encoding_lacks_will_fail(
    encoded: str, scratch: Path, tmp_path: Path
) -> None:
    asked(encoded, ORDERS.encode())
    write(tmp_path, {"2.sql": "UPDATE orders SET id = 1;\nUPDATE orders SET name = 'Łódź';"})

    with pytest.raises(CaptureError) as error:
        of_files(Question(url=encoded, folder=scratch, budget=1.0), tmp_path)

    found = failing(error.value, "", encoded)
    assert (found.verdict, found.kind, found.migration) == ("downtime", "fails", "2.sql")
    assert found.message == f"will fail: 2.sql, line 2: {NO_SIGN} 'Ł'"
    assert found.statement == "UPDATE orders SET name = 'Łódź'"
    with pytest.raises(SqlFileError, match="line 2: LATIN1"):
        apply_files(encoded, tmp_path)


def of_alembic(folder: Path) -> Run:
    """Its driver sends nothing at all."""
    alembic_project.alembic(folder)
    alembic_project.add(folder, "b2", "a1", "op.execute(\"COMMENT ON TABLE shops IS 'Łódź'\")")
    return alembic_project.upgrade(folder)


def of_django(folder: Path) -> Run:
    """The server refuses it."""
    text = """
        from django.db import migrations
        class Migration(migrations.Migration):
            dependencies = [("shop", "0001_initial")]
            operations = [migrations.RunSQL("COMMENT ON TABLE shop_order IS 'Łódź'")]
    """
    django_project.add(django_project.django(folder), "0002_comment", text)
    return django_project.migrate(folder)


@LATIN
@pytest.mark.parametrize("tool", [of_alembic, of_django])
def test_a_tool_with_a_sign_that_the_encoding_lacks_will_fail(
    encoded: str,
    scratch: Path,
    tmp_path: Path,
    tool: Callable[[Path], Run],
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = tool(tmp_path)

    with pytest.raises(CaptureError) as error:
        of_command(Question(url=encoded, folder=scratch, budget=1.0), run)

    found = failing(error.value, capsys.readouterr().out, encoded)
    assert (found.kind, found.message) == ("fails", f"will fail: {NO_SIGN} 'Ł'")
    assert ("COMMENT ON TABLE" if tool is of_alembic else "The last statement was") in found.remedy
    assert run(encoded) != 0, "production refuses it as well"


@LATIN
def test_a_tool_whose_text_the_encoding_can_hold_is_known_with_its_text(
    encoded: str, scratch: Path, tmp_path: Path
) -> None:
    alembic_project.alembic(tmp_path)
    alembic_project.add(tmp_path, "b2", "a1", "op.execute(\"CREATE TABLE café AS SELECT 'é' é\")")
    run = alembic_project.upgrade(tmp_path)

    answer = of_command(Question(url=encoded, folder=scratch, budget=1.0), run)

    assert answer.impact.verdict == "none"
    assert run(encoded) == 0


@pytest.mark.parametrize("encoding", ["SQL_ASCII"])
def test_bytes_that_are_no_text_are_named_with_what_holds_them(
    encoded: str, scratch: Path, tmp_path: Path
) -> None:
    with psycopg.connect(encoded, client_encoding="SQL_ASCII") as connection:
        connection.execute(b"CREATE TABLE orders (id int, city text DEFAULT 'Z\xfcrich')")
        connection.execute(b"COMMENT ON TABLE orders IS 'caf\xe9'")
        connection.execute("CREATE TABLE fine (id int, city text DEFAULT 'Łódź')".encode())
    write(tmp_path, {"2.sql": "ALTER TABLE orders ADD more int"})

    with pytest.raises(DatabaseError) as error:
        of_files(Question(url=encoded, folder=scratch, budget=1.0), tmp_path)

    assert "SQL_ASCII" in error.value.message
    assert "bytes that are no UTF-8" in error.value.message
    assert "default value for column city of table orders" in error.value.hint
    assert "the comment on table orders" in error.value.hint
    assert "fine" not in error.value.hint
