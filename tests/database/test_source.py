"""A replica is read instead of production where it keeps up; where it does not, that is said."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from dayfly.database.answer import of_files
from dayfly.database.question import Answer, Question
from dayfly.database.scratch import ScratchServer
from dayfly.database.source import Source
from migrating import asked, write
from replicas import Replica, replica_of, sending
from workshop import open_folder

pytestmark = pytest.mark.postgres

ORDERS = """
    CREATE TABLE orders (id int PRIMARY KEY, note text);
    INSERT INTO orders SELECT i, CASE WHEN i > 7 THEN 'n' END FROM generate_series(1, 100) i;
"""


@pytest.fixture(scope="module")
def primary(scratch: Path, postgresql: Path) -> Iterator[ScratchServer]:
    with sending(scratch / "sending", postgresql) as server:
        yield server


@pytest.fixture(scope="module")
def replica(primary: ScratchServer, scratch: Path, postgresql: Path) -> Iterator[Replica]:
    with open_folder() as folder, replica_of(primary, folder, postgresql) as running:
        yield running


@pytest.fixture
def shop(primary: ScratchServer) -> Iterator[str]:
    with primary.database() as url:
        asked(url, ORDERS.encode())
        yield url


def answered(url: str, replica: str, scratch: Path, folder: Path) -> Answer:
    write(folder, {"1.sql": "ALTER TABLE orders ALTER note SET NOT NULL"})
    question = Question(url=url, replica=replica, folder=scratch / "replicated", budget=1)
    return of_files(question, folder)


def tells(answer: Answer, rows: int = 7) -> bool:
    return any(f"{rows} rows in which note is NULL" in f.evidence for f in answer.impact.findings)


def test_what_production_committed_a_moment_ago_is_known_from_the_replica(
    shop: str, replica: Replica, scratch: Path, tmp_path: Path
) -> None:
    replica.catch_up()
    asked(shop, "UPDATE orders SET note = NULL WHERE id = 99")

    answer = answered(shop, replica.url(shop), scratch, tmp_path)

    assert tells(answer, 8)
    assert answer.notes == ()


def test_the_data_and_the_schema_are_asked_of_the_replica(shop: str, replica: Replica) -> None:
    replica.catch_up()
    source = Source(shop, replica.url(shop))
    at = "SELECT inet_server_port()"
    assert source.read(lambda url: asked(url, at)) == replica.port
    with source.asker(seconds=5) as ask:
        assert ask(at) == replica.port
        assert ask("SELECT count(*) FROM orders WHERE note IS NULL") == 7
    assert source.note == ""


def test_one_that_lags(shop: str, replica: Replica) -> None:
    replica.catch_up()
    replica.administer("SELECT pg_wal_replay_pause()")
    try:
        asked(shop, "UPDATE orders SET note = NULL WHERE id = 99")
        source = Source(shop, replica.url(shop), seconds=0.3)
        with source.asker(seconds=5) as ask:
            assert ask("SELECT count(*) FROM orders WHERE note IS NULL") == 8
    finally:
        replica.administer("SELECT pg_wal_replay_resume()")

    assert source.note == "production was read, not its replica: it lags by more than 0.3 s"


def test_one_that_cannot_be_reached(shop: str, scratch: Path, tmp_path: Path) -> None:
    nowhere = shop.rpartition("@")[0] + "@127.0.0.1:1/orders"

    answer = answered(shop, nowhere, scratch, tmp_path)

    assert tells(answer)
    [note] = answer.notes
    assert "127.0.0.1:1/orders cannot be reached" in note
    assert shop.split(":")[2].split("@", maxsplit=1)[0] not in note, "its password"


def test_one_that_goes_away_between_two_questions(
    primary: ScratchServer, shop: str, scratch: Path, postgresql: Path
) -> None:
    with open_folder() as folder, replica_of(primary, folder, postgresql) as leaving:
        source = Source(shop, leaving.url(shop))
        with source.asker(seconds=5) as ask:
            assert ask("SELECT inet_server_port()") == leaving.port
            leaving.end()
            assert ask("SELECT inet_server_port()") == primary.port
        assert "went away" in source.note


def test_what_is_no_replica_of_this_database(
    shop: str, primary: ScratchServer, replica: Replica, elsewhere: ScratchServer
) -> None:
    with elsewhere.database() as stranger, primary.database() as neighbour:
        replica.catch_up()
        urls = {
            stranger: "it is no replica of production's database",
            replica.url(neighbour): "it is no replica of production's database",
            shop: "it is no replica, but takes writes of its own",
        }
        for url, why in urls.items():
            source = Source(shop, url)
            assert source.read(lambda at: at) == shop
            assert source.why == why


def test_a_role_of_its_own_may_read_the_replica(
    shop: str, primary: ScratchServer, replica: Replica, scratch: Path, tmp_path: Path
) -> None:
    """What the migration may do is known from the role that migrates."""
    name = shop.rpartition("/")[2]
    with psycopg.connect(primary.url(name), autocommit=True) as admin:
        admin.execute("CREATE ROLE looker LOGIN PASSWORD 'looker' IN ROLE pg_read_all_data")
    replica.catch_up()
    url = f"postgresql://looker:looker@127.0.0.1:{replica.port}/{name}"

    answer = answered(shop, url, scratch, tmp_path)

    assert answer.notes == ()
    assert tells(answer)
    assert "fails" in {finding.kind for finding in answer.impact.findings}


def test_a_replica_of_an_idle_server_keeps_up(
    shop: str, primary: ScratchServer, replica: Replica
) -> None:
    """At the top of a page of its log, too."""
    asked(primary.url("postgres"), "SELECT pg_switch_wal()")
    replica.catch_up()
    assert Source(shop, replica.url(shop)).read(lambda at: at) == replica.url(shop)
