"""What takes away what only older releases use runs when they are gone, and nobody notices."""

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from dayfly.client import ClientError
from dayfly.clock import wait_until
from dayfly.database.scratch import ScratchServer
from production import Production, assert_serving, running
from production.ledgers import Ledger, ledger
from stories.clients import clients
from workshop import open_folder

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.haproxy,
    pytest.mark.postgres,
    pytest.mark.sampled(3, of="file"),
]

EXPAND = "ALTER TABLE entries ADD COLUMN amount int; ALTER TABLE entries ALTER cents DROP NOT NULL"
WRITE = "INSERT INTO entries (payer, amount) VALUES (%(payer)s, 100) RETURNING id"
READ = "SELECT id, payer, amount FROM entries WHERE id = %(id)s"


@pytest.fixture
def prod() -> Iterator[Production]:
    with open_folder() as folder, running(folder) as made:
        yield made


@pytest.fixture
def book(prod: Production, server: ScratchServer) -> Iterator[Ledger]:
    """Its SQL files are run by Dayfly, and what is called drop_… is to wait."""
    with server.database() as url:
        yield ledger(
            prod,
            url,
            migrate="",
            migrations='"changes"',
            contract='["*_drop_*"]',
            warm='"2s"',
            watch='"200ms"',
        )


def wait_for_contract(prod: Production, number: int, state: str) -> None:
    def reached() -> bool:
        with suppress(ClientError):  # a server that was killed comes back
            contract = prod.record(number)["contract"]
            return bool(contract and contract["state"] == state)
        return False

    wait_until(reached, seconds=90, what=f"the contract of release {number} to be {state}")


def test_a_column_is_renamed_in_one_release(prod: Production, book: Ledger) -> None:
    """Its new name first; the old one goes when the release that uses it is retired."""
    book.changed("amount", EXPAND, write=WRITE, read=READ)
    commit = book.changed("drop_cents", "ALTER TABLE entries DROP COLUMN cents")
    with clients(prod.http, 1) as tally:
        number = prod.released(book, commit)
        both = book.columns
        status = prod.app(book.app)["contract"]
        wait_for_contract(prod, number, "done")
        wanted = len(tally.written) + 30
        wait_until(lambda: len(tally.written) > wanted, seconds=30, what="more entries")

    assert tally.failed == []
    assert both >= {"cents", "amount"}
    assert (status["state"], status["migrations"]) == ("waiting", ["0003_drop_cents.sql"])
    assert book.columns == {"id", "payer", "amount"}
    assert_serving(prod, book.app, number)
    record = prod.record(number)
    assert record["verdict"] == "online"
    assert record["impact"]["pending"] == ["0002_amount.sql"]
    assert record["impact"]["contract"] == ["0003_drop_cents.sql"]
    later = record["impact"]["later"]
    assert (later["verdict"], later["runs"]) == ("staged", True)
    [run] = record["contract"]["runs"]
    assert (run["outcome"], run["traffic"]["lost"]) == ("done", 0)
    assert [stage["stage"] for stage in run["stages"]] == ["assess", "preserve", "migrate"]
    assert any(finding["kind"] == "breaks" for finding in run["impact"]["findings"])
    assert prod.app(book.app)["contract"] is None
    said = prod.typed("receipt", str(number), at=book.folder)
    assert "contract has run  0003_drop_cents.sql" in said


def test_what_the_serving_release_still_needs_stays_and_nothing_overtakes_it(
    prod: Production, book: Ledger
) -> None:
    commit = book.changed("drop_payer", "ALTER TABLE entries DROP payer")
    asked = prod.typed("impact", commit, at=book.folder)
    number = prod.released(book, commit)
    wait_for_contract(prod, number, "refused")

    assert "left out until nothing older runs: 0002_drop_payer.sql" in asked
    assert "then staged, and they will be refused: the serving release fails" in asked
    assert "payer" in book.columns
    reason = prod.record(number)["contract"]["reason"]
    assert "the serving release fails on the migrated copy" in reason
    assert "contract refused: not run" in prod.typed("status", at=book.folder)
    assert any("0002_drop_payer.sql did not run" in str(e.data) for e in prod.events(number))

    later = prod.release(book, book.changed("more", "ALTER TABLE entries ADD COLUMN more int"))
    book.taken_back()
    book.set(contract='["nothing"]')
    forgets = prod.release(book, book.save("Forgets what waits"))
    book.taken_back()

    assert (later.status, forgets.status) == (1, 1)
    assert "0003_more.sql comes after 0002_drop_payer.sql" in later.said
    assert "Name 0003_more.sql in `contract` too" in later.said
    assert "They run when nothing older" in later.said
    assert "0002_drop_payer.sql waits as a contract migration" in forgets.said
    assert book.columns == {"id", "payer", "cents"}
    assert_serving(prod, book.app, number)

    code = prod.released(book, book.changed())  # named still, it waits on with this one
    wait_for_contract(prod, code, "refused")


def test_what_blocks_for_long_waits_for_a_window(prod: Production, book: Ledger) -> None:
    with psycopg.connect(book.url, autocommit=True) as connection:
        many = "INSERT INTO entries (payer, cents) SELECT 'p', i FROM generate_series(1, 1000000) i"
        connection.execute(many)
        connection.execute("ANALYZE entries")
    commit = book.changed("drop_ints", "ALTER TABLE entries ALTER cents TYPE bigint")
    number = prod.released(book, commit)
    wait_for_contract(prod, number, "refused")

    [run] = prod.record(number)["contract"]["runs"]
    assert run["reason"].startswith("not run while it serves: ")
    assert run["detail"][-1].startswith("They run in a window: dayfly release --window")

    window = f"{datetime.now(UTC) + timedelta(days=3):%a} 02:00-04:00"
    prod.typed("release", commit, "--window", window, at=book.folder)

    waiting = prod.record(prod.newest())
    assert (waiting["outcome"], waiting["verdict"]) == ("waiting", "downtime")
    assert waiting["impact"]["pending"] == ["0002_drop_ints.sql"]
    assert waiting["impact"]["contract"] == []

    now = prod.released(book, commit, "--now")
    with psycopg.connect(book.url) as connection:
        kinds = connection.execute("SELECT cents FROM entries LIMIT 0").description or []
    assert [column.type_display for column in kinds] == ["int8"]
    assert prod.record(now)["contract"] is None
    assert prod.app(book.app)["contract"] is None
    assert_serving(prod, book.app, now)


def test_going_back_leaves_it_alone_and_going_forward_runs_it(
    prod: Production, book: Ledger
) -> None:
    before = prod.serving(book.app)
    book.changed("old", "CREATE VIEW old AS SELECT 1 AS one")
    prod.released(book, book.save("With a view"))
    number = prod.released(book, book.changed("drop_old", "DROP VIEW old"))
    prod.typed("rollback", "--to", str(before), at=book.folder)

    assert prod.record(number)["contract"]["state"] == "waiting"
    wait_until(lambda: not prod.app(book.app)["warm"], seconds=30, what="only one fleet")
    time.sleep(3)  # rounds of the caretaker
    assert prod.record(number)["contract"]["state"] == "waiting"

    prod.typed("rollback", "--to", str(number), at=book.folder)
    wait_for_contract(prod, number, "done")
    assert_serving(prod, book.app, number)


def test_what_a_rollback_has_undone_runs_again_on_the_way_forward(
    prod: Production, book: Ledger
) -> None:
    before = prod.released(book, book.changed("note", "ALTER TABLE entries ADD COLUMN note text"))
    number = prod.released(book, book.changed("drop_note", "ALTER TABLE entries DROP COLUMN note"))
    wait_for_contract(prod, number, "done")
    assert "note" not in book.columns

    prod.typed("rollback", "--to", str(before), at=book.folder)

    assert "note" in book.columns
    assert prod.record(number)["contract"]["state"] == "waiting"
    assert "contract has run" not in prod.typed("receipt", str(number), at=book.folder)

    prod.typed("rollback", "--to", str(number), at=book.folder)
    wait_for_contract(prod, number, "done")
    assert "note" not in book.columns
    assert [run["outcome"] for run in prod.record(number)["contract"]["runs"]] == ["done", "done"]


def web(prod: Production) -> dict[str, bool]:
    """Machines that serve, and which of them are healthy."""
    return {m["machine"]: m["healthy"] for m in prod.machines() if m["process"] == "web"}


def test_meanwhile_the_fleet_is_looked_after_and_a_release_waits(
    prod: Production, book: Ledger
) -> None:
    book.changed("note", "ALTER TABLE entries ADD COLUMN note text")
    with psycopg.connect(book.url) as reader:
        number = prod.released(
            book, book.changed("drop_note", "ALTER TABLE entries DROP COLUMN note")
        )
        reader.execute("SELECT count(*) FROM entries")  # it has to wait for this one
        wait_for_contract(prod, number, "running")
        before = web(prod)
        prod.kill(prod.processes_of(app=book.app, release=str(number), machine=min(before)))

        def replaced() -> bool:
            now = web(prod)
            return min(before) not in now and len(now) == len(before) and all(now.values())

        wait_until(replaced, seconds=30, what="a fresh machine")
        assert prod.record(number)["contract"]["state"] == "running"
        with prod.typing("release", book.changed(), at=book.folder) as release:

            def waits() -> bool:
                notes = [str(event.data) for event in prod.events(prod.newest())]
                return any(f"waits for the contract of release {number}" in n for n in notes)

            wait_until(waits, seconds=30, what="the release waits")
            reader.rollback()
            assert release.wait(90) == 0

    assert prod.record(number)["contract"]["state"] == "done"
    assert "note" not in book.columns
    assert_serving(prod, book.app, number + 1)


def test_a_server_that_dies_meanwhile_tries_again(prod: Production, book: Ledger) -> None:
    book.changed("note", "ALTER TABLE entries ADD COLUMN note text")
    with psycopg.connect(book.url) as reader:
        number = prod.released(
            book, book.changed("drop_note", "ALTER TABLE entries DROP COLUMN note")
        )
        reader.execute("SELECT count(*) FROM entries")  # it has to wait for this one

        def asked_again() -> bool:
            return any("attempt 2 of" in str(event.data) for event in prod.events(number))

        wait_until(asked_again, seconds=60, what="the contract meets a lock")
        prod.kill(prod.servers())
        reader.rollback()
        wait_for_contract(prod, number, "done")

    assert "note" not in book.columns
    runs = prod.record(number)["contract"]["runs"]
    assert [run["outcome"] for run in runs] == ["interrupted", "done"]
    assert_serving(prod, book.app, number)
