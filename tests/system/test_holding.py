"""A short blocking: requests and machines are held for it, and never longer than was said."""

import time
from collections.abc import Iterator
from itertools import pairwise

import psycopg
import pytest

from dayfly.clock import wait_until
from dayfly.database.scratch import ScratchServer
from production import Production, assert_serving, running
from production.ledgers import Ledger, ledger
from stories.clients import clients
from workshop import open_folder

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy, pytest.mark.postgres]

WORKER = '\n[process.worker]\nrun = "while :; do date +%s.%N; sleep 0.05; done"\n'
SLOW = """
    CREATE FUNCTION slow(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
    $$ BEGIN PERFORM pg_sleep(0.004); RETURN $1; END $$
"""
GENERATED = "ALTER TABLE entries ADD h text GENERATED ALWAYS AS (slow(payer)) STORED"


@pytest.fixture(scope="module")
def prod() -> Iterator[Production]:
    with open_folder() as folder, running(folder) as made:
        yield made


@pytest.fixture(scope="module")
def book(prod: Production, server: ScratchServer) -> Iterator[Ledger]:
    """Whatever blocks is held; its workers say every moment that they are at work."""
    with server.database() as url:
        made = ledger(
            prod,
            url,
            migrate="",
            migrations='"changes"',
            budget='"10ms"',
            hold='"3s"',
            watch='"200ms"',
        )
        toml = made.folder / "dayfly.toml"
        toml.write_text(toml.read_text() + WORKER)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(SLOW.encode())
            connection.execute("ANALYZE")
        prod.released(made, made.save("With a worker"))
        yield made


def at_work(prod: Production, book: Ledger, release: int) -> list[float]:
    """When the worker of a release said so."""
    file = prod.home.output / f"{book.app}-{release}-worker-1" / "output.log"
    last = (line.split()[-1] for line in file.read_text().splitlines())
    return [float(word) for word in last if word[0].isdecimal()]


def longest_pause(times: list[float]) -> float:
    return max(later - earlier for earlier, later in pairwise(times))


def test_workers_stand_still_while_requests_are_held(prod: Production, book: Ledger) -> None:
    before = prod.serving(book.app)
    assert before
    sql = "ALTER TABLE entries ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();"

    with clients(prod.http, 2) as tally:
        number = prod.released(book, book.changed("token", f"{sql} SELECT pg_sleep(1.2)"))

    record = prod.record(number)
    assert (record["course"], tally.failed) == ("held", [])
    assert record["held_seconds"] > 1.2
    assert longest_pause(at_work(prod, book, before)) > 1.2


def test_what_takes_longer_than_was_said_is_ended_and_nothing_of_it_stays(
    prod: Production, book: Ledger
) -> None:
    """On the copy the function met a few rows, and was quick."""
    before = prod.serving(book.app)
    assert before
    with clients(prod.http, 2) as tally:
        refused = prod.release(book, book.changed("generated", GENERATED))
    book.taken_back()

    assert refused.status == 1, refused.said
    assert "not done within the 3 s for which requests are held; it was ended" in refused.said
    assert "--window" in refused.said
    assert "h" not in book.columns
    assert tally.failed == []
    assert_serving(prod, book.app, before)
    stopped = time.time()
    wait_until(
        lambda: at_work(prod, book, before)[-1] > stopped, seconds=5, what="the worker goes on"
    )
