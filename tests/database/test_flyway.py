"""Flyway itself beside us: either goes on where the other ended."""

import threading
import time
from pathlib import Path

import pytest

from dayfly.clock import wait_until
from dayfly.database.books import FLYWAY
from dayfly.database.capture import CaptureError, capture
from dayfly.database.copy import copy_of
from dayfly.database.impact.assess import gathered, judged
from dayfly.database.pending import pending_migrations
from dayfly.database.sqlfiles import apply_files
from dayfly.database.sqlnames import SqlFileError
from dayfly.database.tools import tool_of
from dayfly.database.watchdog import watched
from flyway import answered, migrate, pending_of
from migrating import asked, told, write

pytestmark = pytest.mark.postgres

ORDERS = "CREATE TABLE orders (id int PRIMARY KEY, note text);"
TWO = "ALTER TABLE orders ADD {} int;{}ALTER TABLE orders ADD {} int;{}"
ONE = "-postgresql.transactional.lock=false"  # session, instead of one for its lock alone
VIEW = "CREATE OR REPLACE VIEW v AS SELECT 1 AS a;"
ODD = {
    "V1__orders.sql": ORDERS.encode(),
    "V1.1__unix.sql": TWO.format("a", "\n", "b", "\n").encode(),
    "V1_2__windows.sql": TWO.format("c", "\r\n", "d", "\r\n").encode(),
    "V1.3.0__mark.sql": b"\xef\xbb\xbf" + TWO.format("e", "\n\n\n", "f", "").encode(),
    "V002__old_mac.sql": b"-- a\rSELECT 1;\r\r\n",
    "V3__4__numbers.sql": "SELECT '\u00fc \U0001f41d';\r\n\n".encode(),
    "V10___blank.sql": b"",
    "R__view.sql": VIEW.encode(),
}


NAME = "dayfly migrate 7"
SLEEPING = f"""
    SELECT true FROM pg_stat_activity WHERE application_name = '{NAME}' AND query ~ 'pg_sleep'
    AND wait_event = 'PgSleep'
""".encode()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where Flyway's users have their migrations."""
    folder = tmp_path / "src/main/resources/db/migration"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def shop(place: Path, production: str) -> Path:
    """With one migration, which has run, and rows."""
    apply_files(production, add(place, V1__orders=ORDERS))
    asked(production, b"INSERT INTO orders SELECT n, 'x' FROM generate_series(1, 9) n")
    return place


def add(place: Path, **files: str) -> Path:
    return write(place, {f"{name}.sql": text for name, text in files.items()})


def pending(url: str, place: Path) -> list[str]:
    tree = place.parents[4]
    tool = tool_of(tree)
    assert (tool.kind, tool.books) == ("flyway", FLYWAY)
    return [*(pending_migrations(tool, tree, url) or ())]


def test_what_flyway_has_run_is_done_here_and_the_other_way_round(
    production: str, place: Path
) -> None:
    """Its checksums hold whatever ends the lines; what we write down it takes as its own."""
    for name, data in ODD.items():
        (place / name).write_bytes(data)
    assert migrate(place)(production) == 0
    assert pending(production, place) == []

    add(place, V11__more="ALTER TABLE orders ADD more int;", R__view=f"{VIEW} -- anew")
    assert apply_files(production, place) == ("V11__more.sql", "R__view.sql")

    validated, info, migrated = answered(production, place, "validate", "info", "migrate")
    assert validated["validationSuccessful"]
    assert {one["state"] for one in info["migrations"]} == {"Success", "Superseded"}
    assert migrated["migrationsExecuted"] == 0
    (place / "V1_2__windows.sql").write_bytes(b"SELECT 3;")
    with pytest.raises(SqlFileError, match=r"V1_2__windows\.sql was changed after it ran"):
        pending(production, place)


def test_flyway_goes_on_in_a_database_that_was_begun_here(production: str, place: Path) -> None:
    add(place, V1__orders=ORDERS, R__view=VIEW)
    apply_files(production, place)
    add(place, V2__a_note="ALTER TABLE orders ADD a int;", R__view=f"{VIEW} -- anew")
    ours = pending(production, place)

    info, migrated = answered(production, place, "info", "migrate")

    assert ours == pending_of(info) == ["V2__a_note.sql", "R__view.sql"]
    assert migrated["migrationsExecuted"] == 2
    assert pending(production, place) == []
    made = "SELECT count(*) FROM pg_class WHERE relname LIKE 'flyway%'"
    assert asked(production, made) == 3  # table, key and index, as its own


def test_a_baseline_is_where_both_begin(production: str, place: Path) -> None:
    asked(production, ORDERS.encode())
    add(place, V1__orders=ORDERS, V2__b="SELECT 1;", V3__c="SELECT 1;", R__view=VIEW)

    _, info = answered(production, place, "-baselineVersion=2", "baseline", "info")

    assert pending(production, place) == pending_of(info) == ["V3__c.sql", "R__view.sql"]


def test_what_failed_or_was_repaired_in_flyway(production: str, place: Path) -> None:
    """Nothing stays of what ran in a transaction; what ran without one has to be repaired."""
    add(place, V1__orders=ORDERS, V2__b="SELECT 1;", V3__c="ALTER TABLE nope ADD a;")
    assert migrate(place)(production) == 1
    assert pending(production, place) == ["V3__c.sql"]

    asked(production, b"INSERT INTO orders VALUES (1, 'x'), (2, 'x')")
    add(place, V3__c="CREATE UNIQUE INDEX CONCURRENTLY once ON orders (note);")
    assert migrate(place, ONE)(production) == 1
    with pytest.raises(SqlFileError, match=r"V3__c.sql failed in an earlier run") as caught:
        pending(production, place)
    assert "flyway repair" in caught.value.hint

    (place / "V2__b.sql").unlink()
    _, info = answered(production, place, "repair", "info")
    assert pending(production, place) == pending_of(info) == ["V3__c.sql"]


NOTED = 'INSERT INTO "public"."flyway_schema_history" ("installed_rank",'
# Behind the schema that is called as the role, as in production, Flyway puts its own first.
PATH = "SELECT set_config('search_path', '\"public\",app, public',"
DROPPED = [("V2__drop.sql", told) for told in ("SET ROLE 'app'", PATH, "ALTER TABLE orders DROP")]
VIEWED = ("R__view.sql", "CREATE OR REPLACE VIEW")
INDEX = {"V3__index": "CREATE INDEX CONCURRENTLY by_id ON orders (id);"}
IN_TWO = [
    (True, DROPPED),
    (True, [("V2__drop.sql", "SET ROLE 'app'"), ("V2__drop.sql", NOTED)]),
    (True, [VIEWED]),
    (True, [("R__view.sql", NOTED)]),
]
IN_ONE = [
    (True, [*DROPPED, ("V2__drop.sql", NOTED)]),
    (False, [("V3__index.sql", "CREATE INDEX CONCURRENTLY by_id")]),
    (False, [("V3__index.sql", NOTED)]),
    (True, [VIEWED, ("R__view.sql", NOTED)]),
]


@pytest.mark.parametrize(("words", "more", "expected"), [((), {}, IN_TWO), ((ONE,), INDEX, IN_ONE)])
def test_what_the_command_of_flyway_does(
    shop: Path,
    production: str,
    scratch: Path,
    words: tuple[str, ...],
    more: dict[str, str],
    expected: list[object],
) -> None:
    """It writes down in another session than it works in, or in the same."""
    add(shop, V2__drop="ALTER TABLE orders DROP COLUMN note;", R__view=VIEW, **more)

    with copy_of(production, folder=scratch) as copies:
        found = capture(copies, migrate(shop, *words))
        evidence = gathered(copies.fresh(), found)

    assert told(found) == expected
    impact = judged(evidence, rows={"orders": 500}, budget=1.0)
    assert impact.verdict == "staged"
    worst = {one.migration for one in impact.findings if one.verdict == "staged"}
    assert worst == {"V2__drop.sql"}


def test_an_index_that_flyways_own_lock_holds_up(
    shop: Path, production: str, scratch: Path
) -> None:
    add(shop, **INDEX)
    with (
        copy_of(production, folder=scratch) as copies,
        pytest.raises(CaptureError, match=r"due to lock timeout \(CREATE INDEX CONCURRENTLY"),
    ):
        capture(copies, migrate(shop, options="-c lock_timeout=300"))


def test_readers_never_wait_for_flyway_longer_than_the_budget(shop: Path, production: str) -> None:
    """Its sessions have our name and limits, which the driver takes from no variable."""
    add(
        shop,
        V2__told="CREATE TABLE told AS SELECT current_setting('lock_timeout') AS limited;",
        V3__slow="ALTER TABLE orders ADD slow int; SELECT pg_sleep(9);",
    )
    statuses: list[int] = []
    run = migrate(shop, name=NAME, options="-c lock_timeout=400")
    migration = threading.Thread(target=lambda: statuses.append(run(production)))
    with watched(production, name=NAME, role="", budget=0.4) as watch:
        migration.start()
        wait_until(lambda: asked(production, SLEEPING), seconds=50, what="the migration sleeps")
        began = time.monotonic()
        asked(production, b"SELECT count(*) FROM orders")
        waited = time.monotonic() - began
        migration.join()

    assert waited < 2
    assert (statuses, len(watch.ended)) == ([1], 1)
    assert asked(production, b"SELECT limited FROM told") == "400ms"
    assert pending(production, shop) == ["V3__slow.sql"]
