"""What real migration tools execute, learned from the server's log."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dayfly.database.books import keeps_books
from dayfly.database.capture import CaptureError, capture
from dayfly.database.copy import Copies, copy_of
from dayfly.database.scratch import ScratchServer
from migrating import (
    alembic_project,
    applying,
    asked,
    command,
    django_project,
    python,
    told,
    write,
)
from migrating.alembic_project import alembic, upgrade
from migrating.django_project import django, migrate

pytestmark = pytest.mark.postgres

ORDERS = """
    CREATE TABLE orders (id int PRIMARY KEY, state text NOT NULL DEFAULT 'new');
    CREATE FUNCTION ship() RETURNS void LANGUAGE sql AS 'UPDATE orders SET state = ''sent''';
"""


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer, scratch: Path) -> Iterator[Copies]:
    """Of a shop with one table."""
    with elsewhere.database() as url:
        asked(url, ORDERS.encode())
        with copy_of(url, folder=scratch) as made:
            yield made


def test_plain_files(copies: Copies, tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "002_state.sql": "ALTER TABLE orders ADD note text;\nUPDATE orders SET note = ';';",
            "003_index.sql": "CREATE INDEX CONCURRENTLY by_state ON orders (state);",
        },
    )

    found = [one for one in told(capture(copies, applying(tmp_path))) if one[1]]

    noted = 'INSERT INTO "public"."dayfly_migrations" (name,'
    assert found == [
        (False, [("", "CREATE TABLE IF NOT")]),
        (
            True,
            [
                ("002_state.sql", "ALTER TABLE orders ADD"),
                ("002_state.sql", "UPDATE orders SET note"),
                ("002_state.sql", noted),
            ],
        ),
        (False, [("003_index.sql", "CREATE INDEX CONCURRENTLY by_state")]),
        (False, [("003_index.sql", noted)]),
    ]


def test_alembic_runs_all_in_one_transaction(
    production: str, scratch: Path, tmp_path: Path
) -> None:
    project = alembic(tmp_path)
    assert upgrade(project)(production) == 0
    alembic_project.add(project, "b2", "a1", "op.add_column('shops', sa.Column('name', sa.Text))")
    work = "op.get_bind().execute(sa.text('UPDATE shops SET name = :n'), {'n': \"it's\"})"
    alembic_project.add(project, "c3", "b2", work)

    with copy_of(production, folder=scratch) as copies:
        [found] = capture(copies, upgrade(project))

    assert told((found,)) == [
        (
            True,
            [
                ("b2", "ALTER TABLE shops ADD"),
                ("b2", "UPDATE alembic_version SET version_num='b2'"),
                ("c3", "UPDATE shops SET name"),
                ("c3", "UPDATE alembic_version SET version_num='c3'"),
            ],
        )
    ]
    assert found.statements[2].text == "UPDATE shops SET name = 'it''s'"


def test_django_with_a_migration_in_python(production: str, scratch: Path, tmp_path: Path) -> None:
    project = django(tmp_path)
    assert migrate(project)(production) == 0
    django_project.add(project, "0002_code", django_project.SECOND)
    django_project.add(project, "0003_index", django_project.THIRD)

    with copy_of(production, folder=scratch) as copies:
        found = capture(copies, migrate(project))

    second, third = "shop.0002_code", "shop.0003_index"
    work = [
        (one.block, [(s.migration, s.text.split("SET")[0][:52]) for s in one.statements])
        for one in found
    ]
    assert work == [
        (
            True,
            [
                (second, 'ALTER TABLE "shop_order" ADD COLUMN "code" varchar(4'),
                (second, 'ALTER TABLE "shop_order" ALTER COLUMN "code" DROP DE'),
                (second, 'SELECT "shop_order"."id", "shop_order"."reference", '),
                (second, 'UPDATE "shop_order" '),
                (second, 'UPDATE "shop_order" '),
                (second, 'UPDATE "shop_order" '),
                (second, 'INSERT INTO "django_migrations" ("app", "name", "app'),
            ],
        ),
        (False, [(third, 'CREATE INDEX CONCURRENTLY "by_code" ON "shop_order" ')]),
        (False, [(third, 'INSERT INTO "django_migrations" ("app", "name", "app')]),
    ]
    marked = [keeps_books(s.text) for one in found for s in one.statements]
    assert marked == [False] * 6 + [True, False, True]


def test_any_command(copies: Copies, tmp_path: Path) -> None:
    """Savepoints, work given up, several statements in one text, COPY, a function that writes."""
    write(
        tmp_path,
        {
            "migrate.py": """
                import os, psycopg
                with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
                    run = connection.execute
                    run("SELECT pg_advisory_lock(7)")
                    run("SET statement_timeout = 0")
                    run("SELECT count(*) FROM pg_class")
                    with connection.transaction():
                        run("ALTER TABLE orders ADD a int")
                        with connection.transaction(force_rollback=True):
                            run("ALTER TABLE orders ADD given_up int")
                        run("UPDATE orders SET a = %s WHERE id = %s", (5, 1))
                    with connection.transaction(force_rollback=True):
                        run("DROP TABLE orders")
                    run("ALTER TABLE orders ADD b int; ALTER TABLE orders ADD c int")
                    run("DO $$ BEGIN ALTER TABLE orders ADD d int; END $$")
                    run("SELECT ship()")
                    run("SELECT state FROM orders")
                    with connection.cursor().copy("COPY orders (id) FROM STDIN") as copy:
                        copy.write_row((77,))
                    try:
                        run("ALTER TABLE orders ADD a int")
                    except psycopg.errors.DuplicateColumn:
                        pass
            """
        },
    )

    found = capture(copies, python(tmp_path, "migrate.py"))

    assert [(one.block, [s.text for s in one.statements]) for one in found] == [
        (
            True,
            ["ALTER TABLE orders ADD a int", "UPDATE orders SET a = '5' WHERE id = '1'"],
        ),
        (True, ["ALTER TABLE orders ADD b int", "ALTER TABLE orders ADD c int"]),
        (False, ["DO $$ BEGIN ALTER TABLE orders ADD d int; END $$"]),
        (False, ["SELECT ship()"]),
        (False, ["SELECT state FROM orders"]),
        (False, ["COPY orders (id) FROM STDIN"]),
    ]


def test_it_runs_with_the_rights_of_productions_user(copies: Copies, tmp_path: Path) -> None:
    """A copy that allowed more than production would call possible what is not."""
    write(tmp_path, {"1.sql": "COPY orders TO PROGRAM 'cat';"})

    with pytest.raises(CaptureError, match="external program"):
        capture(copies, applying(tmp_path))


def test_a_command_that_fails_half_way(copies: Copies, tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "migrate.py": """
                import os, psycopg
                with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
                    connection.execute("ALTER TABLE orders ADD one int")
                    connection.execute("ALTER TABLE missing ADD two int")
            """
        },
    )

    with pytest.raises(CaptureError) as caught:
        capture(copies, python(tmp_path, "migrate.py"))

    assert caught.value.message == (
        "the migrate command failed on the scratch copy with exit status 1: "
        'relation "missing" does not exist (ALTER TABLE missing ADD two int)'
    )
    assert "1 transaction had been committed before" in caught.value.hint


def test_a_command_that_fails_before_it_asks(copies: Copies, tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"exit status 3$") as caught:
        capture(copies, command(tmp_path, "sh", "-c", "exit 3"))

    assert "Nothing had been committed" in caught.value.hint


def test_a_command_that_hangs_is_ended_and_what_it_waited_for_is_named(
    copies: Copies, tmp_path: Path
) -> None:
    """Two sessions of its own that wait for each other: no server ends that."""
    write(
        tmp_path,
        {
            "migrate.py": """
                import os, psycopg
                url = os.environ["DATABASE_URL"]
                with psycopg.connect(url) as one, psycopg.connect(url) as other:
                    one.execute("LOCK TABLE orders")
                    other.execute("ALTER TABLE orders ADD late int")
            """
        },
    )

    with pytest.raises(CaptureError, match=r"not done within 2 s") as caught:
        capture(copies, python(tmp_path, "migrate.py", seconds=2))

    assert caught.value.hint == "The last statement was: ALTER TABLE orders ADD late int"
