"""A release whose copies are on the operator's own server; a replica answers its questions."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from dayfly.database.cluster import new_cluster
from dayfly.database.scratch import ScratchServer, serving
from production import running
from production.ledgers import ledger
from replicas import Replica, replica_of, sending
from workshop import open_folder, postgresql

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy, pytest.mark.postgres]

LOGGING = {"logging_collector": "on", "log_destination": "jsonlog"}
READS = "SELECT sum(xact_commit) FROM pg_stat_database WHERE datname = current_database()"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.fixture(scope="module")
def primary(folder: Path) -> Iterator[ScratchServer]:
    with sending(folder / "primary", postgresql()) as server:
        yield server


@pytest.fixture(scope="module")
def replica(primary: ScratchServer, folder: Path) -> Iterator[Replica]:
    (folder / "second").mkdir()
    with replica_of(primary, folder / "second", postgresql()) as following:
        yield following


@pytest.fixture(scope="module")
def operators(folder: Path) -> Iterator[ScratchServer]:
    """A server of theirs for the copies."""
    with (
        new_cluster(folder / "operators", postgresql()) as cluster,
        serving(cluster, postgresql(), LOGGING) as server,
    ):
        yield server


def asked(url: str, question: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone() or (0,)
    return int(row[0])


def test_the_copies_are_on_the_operators_server_and_the_replica_is_asked(
    folder: Path, primary: ScratchServer, replica: Replica, operators: ScratchServer
) -> None:
    admin = operators.url("postgres")
    (folder / "production").mkdir()
    with (
        primary.database() as url,
        running(folder / "production", more=f'scratch_url = "{admin}"') as prod,
    ):
        book = ledger(prod, url)
        replica.catch_up()
        prod.typed("secret", "set", "REPLICA_URL", at=book.folder, given=replica.url(url))
        book.set(replica_url='"REPLICA_URL"')
        sql = (
            "ALTER TABLE entries ADD COLUMN note text; ALTER TABLE entries ALTER cents SET NOT NULL"
        )

        before = asked(replica.url(url), READS)
        number = prod.released(book, book.changed("note", sql))

        record = prod.record(number)
        assert (record["verdict"], record["impact"]["notes"]) == ("online", [])
        assert asked(replica.url(url), READS) > before + 10, "the replica was asked"
        assert not list(prod.home.scratch.rglob("PG_VERSION")), "no server of our own was made"
