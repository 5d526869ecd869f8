"""Apps that change the schema by themselves when they start."""

from collections.abc import Iterator

import pytest

from dayfly.database.scratch import scratch_server
from migrating import asked
from migrating.alembic_project import alembic
from production import Production, assert_serving, running
from production.ledgers import Ledger, ledger
from workshop import open_folder, postgresql

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.haproxy,
    pytest.mark.postgres,
    pytest.mark.sampled(2, of="file"),
]

AT_START = '"python3 migrate.py && exec python3 app.py"'
TABLES = b"SELECT count(*) FROM pg_tables WHERE tablename = 'extra'"


@pytest.fixture
def prod() -> Iterator[Production]:
    with open_folder() as folder, running(folder) as made:
        yield made


@pytest.fixture
def book(prod: Production) -> Iterator[Ledger]:
    found = postgresql()
    with open_folder() as folder, scratch_server(folder, found) as server, server.database() as url:
        yield ledger(prod, url, watch='"200ms"')


def test_what_is_not_declared_is_refused_and_told_until_it_is(
    prod: Production, book: Ledger
) -> None:
    before = prod.serving(book.app)
    book.set(migrate="", run=AT_START)
    alembic(book.folder)
    nothing_new = prod.released(book, book.save("Migrates when it starts"))
    extra = "CREATE TABLE extra (id int)"

    refused = prod.release(book, book.changed("extra", extra))

    assert prod.record(nothing_new)["verdict"] == "none"
    assert refused.status == 1
    assert f"the app changes the schema when it starts: {extra}" in refused.said
    assert (
        'Declare it in [database] of dayfly.toml: migrate = "alembic upgrade head"' in refused.said
    )
    assert "switch it off in what the app runs when it starts" in refused.said
    assert asked(book.url, TABLES) == 0
    assert before
    assert_serving(prod, book.app, nothing_new)

    settings = book.folder / "dayfly.toml"
    settings.write_text(settings.read_text().replace("[database]", "[database]\nat_start = true"))
    declared = prod.released(book, book.save("Says so"))

    record = prod.record(declared)
    assert (record["verdict"], asked(book.url, TABLES)) == ("none", 1)
    assert "migrate" in [stage["stage"] for stage in record["stages"]]
    assert_serving(prod, book.app, declared)


def test_what_is_declared_is_all_there_is(prod: Production, book: Ledger) -> None:
    """The migrate command adds a column, and the app one table more."""
    before = prod.serving(book.app)
    code = "import os, psycopg; psycopg.connect(os.environ['DATABASE_URL'], autocommit=True)"
    create = f"{code}.execute('CREATE TABLE IF NOT EXISTS extra (id int)')"
    book.set(run=f'"""python3 -c \\"{create}\\" && exec python3 app.py"""')
    refused = prod.release(book, book.changed("note", "ALTER TABLE entries ADD COLUMN note text"))

    assert refused.status == 1
    assert (
        "the incoming release changes the schema when it starts: it adds the table extra"
        in refused.said
    )
    assert asked(book.url, TABLES) == 0
    assert_serving(prod, book.app, before)


def test_a_start_that_nobody_could_look_at(prod: Production, book: Ledger) -> None:
    """It needs a row that a copy has not: that is told, unless it may be what migrates."""
    asked(book.url, b"CREATE TABLE wanted AS SELECT 'here' AS word")
    code = "import os, psycopg; c = psycopg.connect(os.environ['DATABASE_URL'])"
    needs = f"{code}; assert c.execute('SELECT word FROM wanted').fetchone()[0] == 'here'"
    book.set(migrate="", run=f'"""python3 -c \\"{needs}\\" && exec python3 app.py"""')

    number = prod.released(book, book.save("Needs its data"))

    assert prod.record(number)["verdict"] == "unassessed"
    [note] = [n for n in prod.record(number)["notes"] if "when it starts" in n]
    assert note.startswith("whether the app changes the schema when it starts was not found out")

    alembic(book.folder)
    commit = book.save("Has a migration")
    refused = prod.release(book, commit)

    assert refused.status == 1
    assert "it can't be assessed: whether the app changes the schema when it" in refused.said
    assert 'migrate = "alembic upgrade head"' in refused.said
    assert_serving(prod, book.app, number)
    prod.released(book, commit, "--despite", "it migrates nothing")
    [note] = [n for n in prod.record(prod.newest())["notes"] if "despite" in n]
    assert "it migrates nothing" in note
