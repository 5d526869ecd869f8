"""A release that changes the database says first what it does, and is refused if it would harm."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from dayfly.clock import wait_until
from dayfly.database.scratch import scratch_server
from production import Production, Project, assert_serving, project, running
from workshop import open_folder, postgresql

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy, pytest.mark.postgres]

ORDERS = """
CREATE TABLE orders (id serial PRIMARY KEY, customer text NOT NULL, amount int);
INSERT INTO orders (customer, amount) SELECT 'c' || i, i FROM generate_series(1, 500) i;
"""
DATABASE = """
[database]
migrations = "migrations"
"""


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """Production's, for all of these tests."""
    found = postgresql()
    with open_folder() as folder, scratch_server(folder, found) as server, server.database() as url:
        yield url


@pytest.fixture(scope="module")
def prod() -> Iterator[Production]:
    """An environment of its own: its app has all the requests."""
    with open_folder() as folder, running(folder) as made:
        yield made


@pytest.fixture(scope="module")
def shop(prod: Production, database: str) -> Project:
    """Its first release has made its table."""
    made = project(prod.folder / "shop")
    prod.typed("secret", "set", "DATABASE_URL", at=committed(made).folder, given=database)
    prod.released(made, migrating(made, "orders", ORDERS))
    return made


def committed(app: Project) -> Project:
    app.commit(changes={f'app = "{app.app}"': f'app = "{app.app}"'})
    return app


def migrating(app: Project, name: str = "", text: str = "") -> str:
    """A commit of one more version, with one more migration."""
    folder = app.folder / "migrations"
    folder.mkdir(exist_ok=True)
    if text:
        number = len(list(folder.iterdir())) + 1
        (folder / f"{number:04}_{name}.sql").write_text(text)
    secrets = {'app = "kinds"': f'app = "{app.app}"\nsecrets = ["DATABASE_URL"]'}
    return app.commit(changes=secrets, more=DATABASE)


def columns(database: str) -> set[str]:
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT * FROM orders LIMIT 0").description or []
    return {column.name for column in found}


def longest_read(database: str, *, until: Callable[[], bool]) -> float:
    """Seconds that the slowest of many reads took, meanwhile."""
    slowest = [0.0]
    with psycopg.connect(database, autocommit=True) as connection:

        def read() -> bool:
            began = time.monotonic()
            connection.execute("SELECT count(*) FROM orders")
            slowest.append(time.monotonic() - began)
            return until()

        wait_until(read, seconds=60, what="the migration asked twice")
    return max(slowest)


def asked_twice(prod: Production) -> bool:
    notes = [event.data["message"] for event in prod.events(prod.newest()) if event.kind == "note"]
    return any("attempt 2 of" in note for note in notes)


def test_the_first_release_makes_what_nobody_used(prod: Production, shop: Project) -> None:
    record = prod.record(1)

    assert record["verdict"] == "none"
    assert record["impact"]["pending"] == ["0001_orders.sql"]


def test_a_release_of_code_touches_nothing(prod: Production, shop: Project) -> None:
    number = prod.released(shop, migrating(shop))

    assert prod.record(number)["verdict"] == "none"
    assert prod.record(number)["impact"]["pending"] == []


def test_a_column_more_is_online(prod: Production, shop: Project, database: str) -> None:
    commit = migrating(shop, "note", "ALTER TABLE orders ADD COLUMN note text")
    number = prod.released(shop, commit)

    assert prod.record(number)["verdict"] == "online"
    assert "note" in columns(database)
    assert "_note.sql" in prod.typed("logs", "--release", str(number), at=shop.folder)


def test_what_breaks_the_outgoing_release_is_refused_unless_somebody_says_why(
    prod: Production, shop: Project, database: str
) -> None:
    before = prod.serving(shop.app)
    commit = migrating(shop, "drop", "ALTER TABLE orders DROP COLUMN amount")

    refused = prod.release(shop, commit)

    assert refused.status == 1
    assert "its verdict is staged: the values of orders.amount are lost" in refused.said
    assert "drops orders.amount, which the outgoing release may use" in refused.said
    assert "-- Release 1: stop reading and writing it" in refused.said
    assert '--despite "REASON"' in refused.said
    assert prod.record(prod.newest())["outcome"] == "refused"
    assert prod.record(prod.newest())["verdict"] == "staged"
    assert "amount" in columns(database)
    assert_serving(prod, shop.app, before)
    shown = prod.page(f"/releases/{prod.newest()}/database")
    assert "This takes two releases" in shown
    assert "-- Release 1: stop reading and writing it" in shown
    assert 'class="held all"' in shown

    number = prod.released(shop, commit, "--despite", "nobody reads it any more")

    assert prod.record(number)["verdict"] == "staged"
    assert any("nobody reads it any more" in note for note in prod.record(number)["notes"])
    assert "amount" not in columns(database)


def test_a_lock_that_somebody_holds_is_asked_for_again(
    prod: Production, shop: Project, database: str
) -> None:
    """Readers never wait behind the migration for longer than the budget."""
    commit = migrating(shop, "flag", "ALTER TABLE orders ADD COLUMN flag boolean")
    with psycopg.connect(database) as holder:
        holder.execute("SELECT count(*) FROM orders")  # an open transaction reads on
        with prod.typing("release", commit, at=shop.folder) as release:
            waited = longest_read(database, until=lambda: asked_twice(prod))
            holder.rollback()
            assert release.wait(60) == 0

    assert waited < 1.5
    assert "flag" in columns(database)


def test_a_database_that_nobody_can_reach_counts_as_downtime(
    prod: Production, shop: Project, database: str
) -> None:
    nowhere = database.rpartition("@")[0] + "@127.0.0.1:1/nothing"
    prod.typed("secret", "set", "DATABASE_URL", at=shop.folder, given=nowhere)
    try:
        refused = prod.release(shop, migrating(shop))
    finally:
        prod.typed("secret", "set", "DATABASE_URL", at=shop.folder, given=database)

    assert refused.status == 1
    assert "it can't be assessed" in refused.said
    assert "No server answers there" in refused.said
    assert nowhere not in refused.said


def test_a_link_does_not_lead_to_files_of_the_host(
    prod: Production, shop: Project, tmp_path: Path
) -> None:
    (tmp_path / "private").write_text("SELECT secret")
    link = shop.folder / "migrations" / "9999_link.sql"
    link.symlink_to(tmp_path / "private")
    try:
        refused = prod.release(shop, migrating(shop))
    finally:
        link.unlink()

    assert refused.status == 1
    assert "migrations/9999_link.sql is a link" in refused.said


def test_a_directory_that_the_commit_lacks_is_named(prod: Production, shop: Project) -> None:
    secrets = {'app = "kinds"': f'app = "{shop.app}"\nsecrets = ["DATABASE_URL"]'}
    more = '[database]\nmigrations = "sql"\n'
    refused = prod.release(shop, shop.commit(changes=secrets, more=more))

    assert refused.status == 1
    assert "migrations = 'sql' of [database]: the commit has no such directory" in refused.said


def sending(app: Project, statements: str) -> str:
    """A commit that names a file of the statements it sends."""
    secrets = {'app = "kinds"': f'app = "{app.app}"\nsecrets = ["DATABASE_URL"]'}
    return app.commit(changes=secrets, more=f'{DATABASE}statements = "{statements}"\n')


def test_recorded_statements_are_tried_on_the_new_schema(prod: Production, shop: Project) -> None:
    (shop.folder / "seen.sql").write_text("SELECT id FROM orders WHERE customer < 'x';\n")
    migrating(shop, "customer", "ALTER TABLE orders RENAME COLUMN customer TO buyer")
    try:
        refused = prod.release(shop, sending(shop, "seen.sql"))
    finally:
        [file] = (shop.folder / "migrations").glob("*_customer.sql")
        file.unlink()

    assert refused.status == 1
    told = prod.record(prod.newest())["impact"]
    assert told["statements"] == {"checked": 1, "broken": 1, "unassessable": 0, "which": []}
    assert any("WHERE customer < 'x'" in finding["evidence"] for finding in told["findings"])


def test_recorded_statements_that_cannot_be_read(
    prod: Production, shop: Project, tmp_path: Path
) -> None:
    (tmp_path / "private").write_text("SELECT secret")
    (shop.folder / "link.sql").symlink_to(tmp_path / "private")
    (shop.folder / "empty.sql").write_text("-- none yet\n")

    refused = {name: prod.release(shop, sending(shop, name)) for name in
               ("none.sql", "link.sql", "empty.sql")}  # fmt: skip

    assert "statements = 'none.sql' of [database]: the commit has no such file" in (
        refused["none.sql"].said
    )
    assert "link.sql is a link" in refused["link.sql"].said
    assert "there is no statement in it" in refused["empty.sql"].said
