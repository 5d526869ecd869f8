"""Back over a release that has taken something away: schema and values first, then the traffic."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from dayfly.client import ClientError
from dayfly.clock import wait_until
from dayfly.database.scratch import ScratchServer
from production import Production, assert_serving, running
from production.crashes import dying_server
from production.ledgers import Ledger, ledger
from workshop import open_folder

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.haproxy,
    pytest.mark.postgres,
    pytest.mark.sampled(4, of="file"),
]

DROP = "ALTER TABLE entries DROP COLUMN cents"
WITHOUT = "INSERT INTO entries (payer) VALUES (%(payer)s) RETURNING id"
WITH = "INSERT INTO entries (payer, cents) VALUES (%(payer)s, 100) RETURNING id"
READ_ALL = "SELECT * FROM entries WHERE id = %(id)s"
READ = "SELECT id, payer, cents FROM entries WHERE id = %(id)s"


@pytest.fixture
def prod() -> Iterator[Production]:
    """Of its own for each test: what was undone stays in its history."""
    with open_folder() as folder, running(folder) as made:
        yield made


@pytest.fixture
def book(prod: Production, server: ScratchServer) -> Iterator[Ledger]:
    with server.database() as url:
        yield ledger(prod, url)


def asked(book: Ledger, question: str) -> list[tuple[object, ...]]:
    with psycopg.connect(book.url, autocommit=True) as connection:
        cursor = connection.execute(question.encode())
        return cursor.fetchall() if cursor.description else []


def dropping(book: Ledger) -> str:
    return book.changed("drop", DROP, write=WITHOUT, read=READ_ALL)


def test_a_rollback_brings_column_and_values_back(prod: Production, book: Ledger) -> None:
    before = prod.serving(book.app)
    rows = asked(book, "SELECT id, payer, cents FROM entries ORDER BY id")
    asked(book, "ALTER TABLE entries ALTER cents DROP NOT NULL")
    number = prod.released(book, dropping(book), "--despite", "cents are counted elsewhere")

    record = prod.record(number)
    back = record["impact"]["rollback"]
    assert (back["state"], back["loses"]) == ("closed", ["entries.cents"])
    assert record["impact"]["restoration"]["why"] == ""
    assert record["preserved"]["tables"] == ["entries"]
    assert record["preserved"]["rows"] == len(rows)
    assert f"dayfly preserved show {number}<" in prod.page(f"/releases/{number}/database")
    said = prod.typed("preserved", "ls", at=book.folder)
    assert "entries" in said
    shown = json.loads(prod.typed("preserved", "show", str(number), "--json", at=book.folder))
    assert (shown["damage"], shown["tables"][0]["columns"]) == ("", ["cents"])
    assert shown["folder"] == f"dayfly-preserved/{book.app}/{number}/"
    assert "1.copy.gz" in prod.typed("files", "ls", shown["folder"], at=book.folder)
    assert not list(prod.home.preserved(book.app, str(number)).glob("*.gz"))

    way = " ".join(prod.typed("status", at=book.folder).split())
    assert f"brings back entries.cents (release {number}), then serves release {before}" in way

    prod.typed("rollback", at=book.folder)

    assert_serving(prod, book.app, before)
    assert rows == asked(
        book, f"SELECT id, payer, cents FROM entries WHERE id <= {len(rows)} ORDER BY id"
    )
    assert asked(book, "SELECT count(*) FROM schema_migrations") == [(1,)]
    [back] = prod.record(before)["rollbacks"][-1:]
    assert back["restored"][0]["tables"] == [{"table": "entries", "rows": len(rows), "gone": 0}]
    prod.typed("preserved", "drop", str(number), "--reason", "it is back", at=book.folder)
    assert "dropped" in prod.typed("preserved", "ls", at=book.folder)
    forward = prod.type("rollback", "--to", str(number), at=book.folder)
    assert forward.status == 1
    assert "which a rollback has undone" in forward.said
    never = prod.type("rollback", "--to", "999", at=book.folder)
    assert "to go back to: none" in never.said

    again = prod.released(book, book.save("Again"), "--despite", "and once more")
    assert_serving(prod, book.app, again)
    assert asked(book, "SELECT count(*) FROM schema_migrations") == [(2,)]


def test_a_conflict_refuses_the_rollback_until_the_loss_is_accepted(
    prod: Production, book: Ledger
) -> None:
    before = prod.serving(book.app)
    number = prod.released(book, dropping(book), "--despite", "cents are counted elsewhere")
    [(new,)] = asked(book, "INSERT INTO entries (payer) VALUES ('since') RETURNING id")

    refused = prod.type("rollback", at=book.folder)

    assert refused.status == 1
    assert "without a value for cents" in refused.said
    assert "--accept-loss" in refused.said
    assert_serving(prod, book.app, number)
    assert prod.typed("status", at=book.folder).count("!") == 0

    prod.typed("rollback", "--accept-loss", "one entry without cents", at=book.folder)

    assert_serving(prod, book.app, before)
    assert asked(book, f"SELECT cents FROM entries WHERE id = {new}") == [(None,)]
    notes = " ".join(prod.record(before)["rollbacks"][-1]["notes"])
    assert "one entry without cents" in notes
    assert "left off" in notes


FAMILIES = """
CREATE TABLE parents (id int PRIMARY KEY, name text);
CREATE TABLE kids (id int PRIMARY KEY, parent int REFERENCES parents ON DELETE CASCADE);
INSERT INTO parents SELECT i, 'p' || i FROM generate_series(1, 100) i;
INSERT INTO kids SELECT i, i FROM generate_series(1, 100) i;
ANALYZE;
"""


def test_what_a_foreign_key_takes_along_comes_back(prod: Production, book: Ledger) -> None:
    """No row of the copy is called p5 something, so nothing was seen to go there."""
    before = prod.serving(book.app)
    asked(book, FAMILIES)
    sql = "DELETE FROM parents WHERE name LIKE 'p5%'"
    prod.released(book, book.changed("fewer", sql), "--now")
    assert asked(book, "SELECT count(*) FROM kids") == [(89,)]

    prod.typed("rollback", at=book.folder)

    assert_serving(prod, book.app, before)
    assert asked(book, "SELECT count(*) FROM kids") == [(100,)]


def test_what_nobody_can_name_is_promised_by_nobody(prod: Production, book: Ledger) -> None:
    before = prod.serving(book.app)
    asked(book, FAMILIES)
    asked(book, "ALTER TABLE entries ALTER cents DROP NOT NULL")
    sql = "DO $$ BEGIN EXECUTE 'DELETE FROM ' || 'kids WHERE id = 55'; END $$"
    commit = book.changed("dark", f"{DROP}; {sql}", write=WITHOUT, read=READ_ALL)
    release = prod.release(book, commit, "--now")
    number, said = prod.newest(), " ".join(release.said.split())

    assert release.status == 0
    assert "what was preserved go back, but not all may" in said
    assert "that was tried on a copy" not in said
    assert "not all of it may come back" in " ".join(prod.typed("status", at=book.folder).split())
    assert "What may not come back" in prod.page(f"/releases/{number}/database")
    refused = prod.type("rollback", at=book.folder)
    assert refused.status == 1
    assert "not all of it may come back" in " ".join(refused.said.split())

    prod.typed("rollback", "--accept-loss", "kid 55 was double", at=book.folder)

    assert_serving(prod, book.app, before)
    assert asked(book, "SELECT count(*) FROM entries WHERE cents = id AND id <= 2000") == [(2000,)]
    assert asked(book, "SELECT count(*) FROM kids") == [(99,)]


def test_what_the_archive_does_not_keep_whole_is_refused(prod: Production, book: Ledger) -> None:
    """Before it is taken away, and when it is to come back: with both sums."""
    asked(book, "ALTER TABLE entries ALTER cents DROP NOT NULL")
    with out_of_reach(prod.home.path / "archive"):
        early = prod.release(book, dropping(book), "--despite", "cents are counted elsewhere")
    assert early.status == 1
    assert "/archive" in early.said
    assert "cents" in book.columns
    book.taken_back()
    number = prod.released(book, dropping(book), "--despite", "cents are counted elsewhere")
    file = prod.home.path / "archive/data/dayfly-preserved" / book.app / str(number) / "1.copy.gz"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])

    refused = prod.type("rollback", at=book.folder)

    assert refused.status == 1
    assert f"{file} is damaged: its SHA-256 is" in " ".join(refused.said.split())
    assert_serving(prod, book.app, number)
    shown = prod.typed("preserved", "show", str(number), at=book.folder)
    assert "is damaged" in shown
    file.write_bytes(whole)
    prod.typed("rollback", at=book.folder)
    unknown = prod.type("preserved", "show", "999", at=book.folder)
    assert unknown.status == 1
    assert "nothing is preserved under 999" in unknown.said


@contextmanager
def out_of_reach(archive: Path) -> Iterator[None]:
    """Another thing lies in its place."""
    elsewhere = archive.rename(archive.with_name("elsewhere"))
    archive.write_text("")
    try:
        yield
    finally:
        archive.unlink()
        elsewhere.rename(archive)


def test_values_are_put_back_or_let_go_of_by_hand(prod: Production, book: Ledger) -> None:
    """What a rollback may need goes only with a second reason, and it knows of it afterwards."""
    before = prod.serving(book.app)
    number = prod.released(book, dropping(book), "--despite", "cents are counted elsewhere")
    asked(book, "ALTER TABLE entries ADD COLUMN cents int")

    said = prod.typed("preserved", "restore", str(number), "--table", "entries", at=book.folder)

    assert "rows were put back" in said
    assert asked(book, "SELECT count(*) FROM entries WHERE cents IS NULL AND id <= 2000") == [(0,)]
    wrong = prod.type("preserved", "restore", str(number), "--table", "x", at=book.folder)
    assert "nothing of a table 'x' was preserved" in wrong.said

    drop = ("preserved", "drop", str(number), "--reason", "they asked to be forgotten")
    refused = prod.type(*drop, at=book.folder)
    assert refused.status == 1
    assert f"a rollback to release {before} would bring back" in " ".join(refused.said.split())
    assert list((prod.home.path / "archive").rglob("*.copy.gz"))

    prod.typed(*drop, "--accept-loss", "there is a backup", at=book.folder)

    assert not list((prod.home.path / "archive").rglob("*.copy.gz"))
    shown = " ".join(prod.typed("preserved", "show", str(number), at=book.folder).split())
    journal = " ".join(str(e.data) for e in prod.events(number) if e.kind == "note")
    for told in (shown, journal):
        assert "they asked to be forgotten" in told
        assert "there is a backup" in told
    again = prod.type("preserved", "restore", str(number), at=book.folder)
    assert "had preserved is gone" in again.said
    way = prod.type("rollback", at=book.folder)
    assert way.status == 1
    assert "it cannot be brought back" in " ".join(way.said.split())
    assert_serving(prod, book.app, number)


def test_a_migration_that_never_ran_closes_no_way(prod: Production, book: Ledger) -> None:
    """It did not get its lock; what it would have taken away is there, and grows."""
    with psycopg.connect(book.url) as reader:
        reader.execute("SELECT count(*) FROM entries")
        failed = prod.release(book, dropping(book), "--despite", "cents are counted elsewhere")
    book.taken_back()
    before = prod.serving(book.app)
    prod.released(book, book.changed("more", "ALTER TABLE entries ADD COLUMN more int"))
    asked(book, "INSERT INTO entries (payer, cents) VALUES ('since', 7)")

    assert failed.status == 1
    assert prod.app(book.app)["crosses"] == []
    prod.typed("rollback", at=book.folder)
    assert_serving(prod, book.app, before)
    assert "more" in book.columns  # the way was open: nothing was brought back
    assert [p.name for p in prod.home.preserved(book.app, "2").parent.iterdir()] == ["2"]


WORKER = """
[process.worker]
run      = "echo no queue; exit 4"
machines = 1
"""


def test_a_breach_moves_nothing_back_onto_a_schema_that_does_not_fit(
    prod: Production, book: Ledger
) -> None:
    before = prod.serving(book.app)
    asked(book, "ALTER TABLE entries ALTER cents DROP NOT NULL")
    settings = book.folder / "dayfly.toml"
    settings.write_text(settings.read_text() + WORKER)

    number = prod.released(book, dropping(book), "--despite", "cents are counted elsewhere")

    assert_serving(prod, book.app, number)
    said = " ".join(prod.typed("status", at=book.folder).split())
    assert "its migration closed the way back" in said
    assert any("closed the way back" in note for note in prod.record(number)["notes"])
    prod.typed("rollback", at=book.folder)
    assert_serving(prod, book.app, before)
    assert "closed the way back" not in prod.typed("status", at=book.folder)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("step", ["close", "restore", "cut over"])
def test_a_server_that_dies_on_the_way_leaves_a_way(
    prod: Production, book: Ledger, step: str
) -> None:
    before = prod.serving(book.app)
    asked(book, "ALTER TABLE entries ALTER cents DROP NOT NULL")
    number = prod.released(book, dropping(book), "--despite", "cents are counted elsewhere")
    with (
        dying_server(prod, f"intended:{step}", 1) as server,
        prod.typing("rollback", at=book.folder),
    ):
        wait_until(lambda: server.poll() is not None, seconds=60, what="its death")
    prod.up()
    wait_until(lambda: answers(prod), seconds=60, what="the server")

    said = " ".join(prod.typed("status", at=book.folder).split())
    if step == "close":
        assert_serving(prod, book.app, number)
        assert "closed" not in said
    else:
        assert "the app stays closed" in said
    prod.typed("rollback", at=book.folder)

    assert_serving(prod, book.app, before)
    assert asked(book, "SELECT count(*) FROM entries WHERE cents = id AND id <= 2000") == [(2000,)]
    assert "!" not in prod.typed("status", at=book.folder)


def answers(prod: Production) -> bool:
    try:
        prod.client.get("/api/status")
    except ClientError:
        return False
    return True
