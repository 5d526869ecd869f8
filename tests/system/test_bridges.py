"""A default that the outgoing release's inserts need stays until nothing of it is left."""

import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from dayfly.clock import wait_until
from dayfly.database.scratch import scratch_server
from production import Production, running
from production.ledgers import Ledger, ledger
from workshop import open_folder, postgresql

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy, pytest.mark.postgres]

ADD = """
    ALTER TABLE entries ADD COLUMN kind text DEFAULT 'gift' NOT NULL;
    ALTER TABLE entries ALTER COLUMN kind DROP DEFAULT;
"""
WRITE = "INSERT INTO entries (payer, cents, kind) VALUES (%(payer)s, 1, 'fee') RETURNING id"


@pytest.fixture(scope="module")
def prod() -> Iterator[Production]:
    with open_folder() as folder, running(folder) as made:
        yield made


@pytest.fixture(scope="module")
def book(prod: Production) -> Iterator[Ledger]:
    found = postgresql()
    with open_folder() as folder, scratch_server(folder, found) as server, server.database() as url:
        made = ledger(prod, url)
        made.set(warm='"3s"', watch='"500ms"')
        prod.released(made, made.changed())
        yield made


@contextmanager
def inserting(prod: Production) -> Iterator[list[str]]:
    """Entries written all the time; what failed."""
    failed: list[str] = []
    over = threading.Event()

    def insert() -> None:
        while not over.is_set():
            request = urllib.request.Request(f"{prod.url}/entries?payer=x", method="POST")
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    answer.read()
            except OSError as error:
                failed.append(str(error))

    writers = [threading.Thread(target=insert) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        yield failed
    finally:
        over.set()
        for writer in writers:
            writer.join()


def default(book: Ledger) -> str | None:
    question = """
        SELECT pg_get_expr(adbin, adrelid) FROM pg_attribute a LEFT JOIN pg_attrdef d
        ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = 'entries'::regclass AND attname = 'kind'
    """
    with psycopg.connect(book.url) as connection:
        row = connection.execute(question).fetchone()
        return row[0] if row else "no such column"


def leftovers(book: Ledger) -> int:
    question = "SELECT count(*) FROM pg_proc WHERE proname LIKE 'dayfly%'"
    with psycopg.connect(book.url) as connection:
        row = connection.execute(question).fetchone()
        return int(row[0]) if row else -1


def test_no_insert_fails_and_nothing_stays(prod: Production, book: Ledger) -> None:
    before = prod.serving(book.app)
    with inserting(prod) as failed:
        number = prod.released(book, book.changed("kind", ADD, write=WRITE))
        kept = default(book)

    record = prod.record(number)
    assert failed == []
    assert record["verdict"] == "online"
    assert record["impact"]["rollback"]["state"] == "proven"
    assert [f["bridge"]["column"] for f in record["impact"]["findings"] if f["bridge"]] == ["kind"]
    assert kept == "'gift'::text"

    wait_until(lambda: leftovers(book) == 0, seconds=30, what="the end of the bridge")
    assert default(book) is None
    assert before

    # back to a release that is gone: its inserts need the bridge again
    prod.typed("rollback", "--to", str(before), at=book.folder)
    with inserting(prod) as failed:
        wait_until(lambda: default(book) is not None, seconds=10, what="the bridge once more")
    assert failed == []
    assert prod.serving(book.app) == before
    prod.typed("rollback", "--to", str(number), at=book.folder)
    wait_until(lambda: leftovers(book) == 0, seconds=30, what="the end of the bridge")
