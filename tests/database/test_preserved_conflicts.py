"""What was written since: it is named and never overwritten; and what is damaged is told."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from copies import Copies, executed
from dayfly.database.loss import Loss
from dayfly.database.preserve.exporting import preserve
from dayfly.database.preserve.manifest import PreservedError, manifest_of, verify
from dayfly.database.preserve.restoring import outlook, put_values, restore
from dayfly.database.programs import DatabaseError
from dayfly.database.scratch import ScratchServer
from dayfly.durable import FileError
from preserving import ABOUT, Case

pytestmark = pytest.mark.postgres

SCHEMA = (
    "CREATE TABLE shops (id serial PRIMARY KEY, name text NOT NULL, city text, cents int NOT NULL)",
    (
        "INSERT INTO shops (name, city, cents) SELECT 'n' || i, 'c' || i, i"
        " FROM generate_series(1, 5) i"
    ),
    "CREATE TABLE stock (shop int, what text, PRIMARY KEY (shop, what))",
    "INSERT INTO stock SELECT i, 'w' FROM generate_series(1, 5) i",
)
NAME = Loss(schema="public", table="shops", columns=("name",))
CITY = Loss(schema="public", table="shops", columns=("city",))
CENTS = Loss(schema="public", table="shops", columns=("cents",))
STOCK = Loss(schema="public", table="stock")
SHOPS = Loss(schema="public", table="shops")


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer) -> Copies:
    return Copies.of(elsewhere, SCHEMA)


@pytest.fixture
def case(copies: Copies, tmp_path: Path, postgresql: Path) -> Iterator[Case]:
    with copies.fresh() as url:
        yield Case(url, tmp_path / "7", postgresql)


ROWS = {
    "a new row has no value for what may not be empty": (
        NAME,
        "ALTER TABLE shops DROP name",
        ["INSERT INTO shops (cents) VALUES (9)"],
        "shops: 1 row without a value for name (6)",
    ),
    "a new row was written in the new meaning": (
        CENTS,
        "UPDATE shops SET cents = cents * 100",
        ["INSERT INTO shops (name, cents) VALUES ('x', 900)"],
        "shops: 1 row newer than the preserved cents (6)",
    ),
    "an old row was changed since": (
        CENTS,
        "UPDATE shops SET cents = cents * 100",
        ["UPDATE shops SET cents = 7 WHERE id IN (2, 3)"],
        "shops: 2 rows changed since the migration (2, 3)",
    ),
    "a new value does not fit": (
        CENTS,
        "ALTER TABLE shops ALTER cents TYPE text",
        ["INSERT INTO shops (name, cents) VALUES ('x', 'much')"],
        "shops: 1 row with a cents that integer does not take (6)",
    ),
    "a deleted row was made again otherwise": (
        SHOPS,
        "DELETE FROM shops",
        ["INSERT INTO shops VALUES (4, 'other', NULL, 1)"],
        "shops: 1 row changed since the migration (4)",
    ),
    "another table took the name": (
        STOCK,
        "DROP TABLE stock; CREATE TABLE stock (id int, amount int)",
        ["INSERT INTO stock VALUES (1, 2)"],
        "stock: 1 row of another table of this name",
    ),
    "a rule of before does not hold": (
        CITY,
        "ALTER TABLE shops DROP city, ALTER cents DROP NOT NULL",
        ["INSERT INTO shops (name) VALUES ('x')"],
        "shops: 1 row without a value for cents (6)",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_conflict_is_named_and_nothing_is_changed(case: Case, name: str) -> None:
    loss, migration, since, expected = ROWS[name]
    case.migrated([loss], *migration.split(";"))
    case.written(*since)
    catalogue, rows = case.catalogue(), case.rows()

    assert [conflict.told for conflict in outlook(case.url, case.folder).conflicts] == [expected]
    with pytest.raises(PreservedError, match="in conflict with what was preserved") as refused:
        case.back()

    assert expected in refused.value.message
    assert "--accept-loss" in refused.value.hint
    assert (case.catalogue(), case.rows()) == (catalogue, rows)


@pytest.mark.parametrize("name", ROWS)
def test_who_accepts_the_loss_gets_the_old_schema_all_the_same(case: Case, name: str) -> None:
    loss, migration, since, expected = ROWS[name]
    before = {column.name for column in case.catalogue().things.values()}
    case.migrated([loss], *migration.split(";"))
    case.written(*since)

    restored = case.back(accept=True)

    assert [conflict.told for conflict in restored.conflicts] == [expected]
    assert {column.name for column in case.catalogue().things.values()} == before
    assert case.values("SELECT count(*) FROM shops WHERE id <= 5 AND cents = id") == [5]


FINE = {
    "a new row without what may be empty": (
        CITY,
        "ALTER TABLE shops DROP city",
        ["INSERT INTO shops (name, cents) VALUES ('new', 9)", "DELETE FROM shops WHERE id = 2"],
        "SELECT city FROM shops ORDER BY id",
        ["c1", "c3", "c4", "c5", None],
    ),
    "other columns are written": (
        CENTS,
        "UPDATE shops SET cents = cents * 100",
        ["UPDATE shops SET city = 'new'"],
        "SELECT city || cents FROM shops ORDER BY id",
        ["new1", "new2", "new3", "new4", "new5"],
    ),
    "a value that fits": (
        CENTS,
        "ALTER TABLE shops ALTER cents TYPE text",
        ["INSERT INTO shops (name, cents) VALUES ('x', '77')"],
        "SELECT cents FROM shops ORDER BY id",
        [1, 2, 3, 4, 5, 77],
    ),
    "rows written beside those that are gone": (
        SHOPS,
        "DELETE FROM shops WHERE id < 5",
        ["INSERT INTO shops (name, cents) VALUES ('x', 6)"],
        "SELECT cents FROM shops ORDER BY id",
        [1, 2, 3, 4, 5, 6],
    ),
}


@pytest.mark.parametrize("name", FINE)
def test_what_was_written_beside_it_stays(case: Case, name: str) -> None:
    loss, migration, since, question, expected = FINE[name]
    case.migrated([loss], migration)
    case.written(*since)

    case.back()

    assert case.values(question) == expected


def test_rows_whose_key_is_gone_are_counted(case: Case) -> None:
    case.migrated([CITY], "ALTER TABLE shops DROP city")
    case.written("DELETE FROM shops WHERE id IN (1, 2)")

    [put] = case.back().tables

    assert (put.table, put.rows, put.gone) == ("shops", 3, 2)


def test_without_a_look_after_the_migration_every_other_value_is_a_conflict(case: Case) -> None:
    case.preserved(CENTS)
    case.written("UPDATE shops SET cents = cents * 100 WHERE id > 3")

    with pytest.raises(PreservedError, match=r"2 rows changed since the migration \(4, 5\)"):
        case.back()


def test_numbers_given_after_it_are_free(case: Case) -> None:
    case.migrated([SHOPS], "DROP TABLE shops")

    case.back()

    assert case.values("INSERT INTO shops (name, cents) VALUES ('x', 1) RETURNING id") == [6]


def test_values_alone_come_back_into_a_column_made_by_hand(case: Case) -> None:
    case.migrated([CITY, STOCK], "ALTER TABLE shops DROP city", "DELETE FROM stock")

    with pytest.raises(PreservedError, match=r"the column shops\.city is not there"):
        put_values(case.url, case.folder, table="shops")
    case.written("ALTER TABLE shops ADD city text", "UPDATE shops SET city = 'mine' WHERE id = 2")
    with pytest.raises(PreservedError, match=r"shops: 1 row changed since the migration \(2\)"):
        put_values(case.url, case.folder, table="shops")
    put_values(case.url, case.folder, table="stock")
    put_values(case.url, case.folder, table="shops", accept=True)

    assert case.values("SELECT city FROM shops ORDER BY id") == ["c1", "c2", "c3", "c4", "c5"]
    assert case.values("SELECT count(*) FROM stock") == [5]
    with pytest.raises(PreservedError, match="nothing of a table 'x' was preserved"):
        put_values(case.url, case.folder, table="x")


def test_damage_is_told_with_the_file_and_both_sums(case: Case) -> None:
    made = case.migrated([CITY], "ALTER TABLE shops DROP city")
    [file] = [table.file for table in made.tables]
    path = case.folder / file.name
    flipped = bytearray(path.read_bytes())
    flipped[-1] ^= 1
    path.write_bytes(flipped)

    with pytest.raises(PreservedError) as refused:
        case.back()

    assert str(path) in refused.value.message
    assert file.sha256 in refused.value.message
    path.unlink()
    with pytest.raises(PreservedError, match="is missing"):
        verify(case.folder)
    (case.folder / "manifest.json").write_text("{")
    with pytest.raises(PreservedError, match="is damaged"):
        verify(case.folder)
    (case.folder / "manifest.json").write_text('{"format": 99}')
    with pytest.raises(PreservedError, match="has format 99"):
        verify(case.folder)
    (case.folder / "manifest.json").unlink()
    with pytest.raises(PreservedError, match="nothing was preserved there as a whole"):
        case.back()


def test_an_export_is_private_and_says_what_it_has(case: Case) -> None:
    said: list[str] = []
    preserve(case.url, [CITY, STOCK], case.folder, about=ABOUT, schema="", tell=said.append)

    manifest = manifest_of(case.folder)

    assert (manifest.about, manifest.rows) == (ABOUT, 10)
    assert said == ["shops.city", "stock: its rows"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in case.folder.iterdir())
    assert [(c.name, c.type) for c in manifest.tables[0].columns] == [
        ("id", "integer"),
        ("city", "text"),
    ]


def test_a_failed_export_leaves_nothing(case: Case) -> None:
    gone = Loss(schema="public", table="gone")
    wrong = Loss(schema="public", table="shops", columns=("nope",))
    for loss, message in (
        (gone, r"the table public\.gone is to be preserved, and is gone"),
        (wrong, r"the column shops\.nope is to be preserved, and is gone"),
    ):
        with pytest.raises(PreservedError, match=message):
            case.preserved(STOCK, loss)
        assert list(case.folder.iterdir()) == []


def test_a_missing_grant_is_named(case: Case, elsewhere: ScratchServer) -> None:
    with psycopg.connect(case.url, autocommit=True) as admin:
        admin.execute("DROP ROLE IF EXISTS reader")
        admin.execute("CREATE ROLE reader LOGIN PASSWORD 'reader'")
    url = elsewhere.url(case.url.rpartition("/")[2], "reader", "reader")

    with pytest.raises(DatabaseError, match="permission denied for table shops") as refused:
        preserve(url, [CITY], case.folder, about=ABOUT, schema="")

    assert 'GRANT SELECT ON shops TO "reader"' in refused.value.hint
    assert list(case.folder.iterdir()) == []
    executed(case.url, ["DROP ROLE reader"])


def test_a_full_disk_is_told_and_left_as_it_was(case: Case) -> None:
    folder = Path("/dev/full") / "x"

    with pytest.raises(FileError, match="/dev/full"):
        preserve(case.url, [CITY], folder, about=ABOUT, schema="")
    case.folder.mkdir()
    (case.folder / "1.copy.gz").symlink_to("/dev/full")
    with pytest.raises(FileError, match="No space left on device"):
        preserve(case.url, [CITY], case.folder, about=ABOUT, schema="")
    assert not (case.folder / "manifest.json").exists()


def test_a_lock_is_waited_for_only_so_long(case: Case) -> None:
    case.migrated([CITY], "ALTER TABLE shops DROP city")
    with psycopg.connect(case.url) as other:
        other.execute("LOCK TABLE shops IN ACCESS SHARE MODE")

        with pytest.raises(DatabaseError, match="did not answer in time"):
            restore(case.url, case.folder, lock_seconds=0.2)


def test_what_the_newer_release_wrote_is_put_aside_and_comes_back_with_it(case: Case) -> None:
    more = ("ALTER TABLE shops DROP city", "ALTER TABLE shops ADD zip text", "CREATE TABLE zips ()")
    case.migrated([CITY], *more, "ALTER TABLE zips ADD id serial PRIMARY KEY")
    case.written("UPDATE shops SET zip = 'z' || id", "INSERT INTO zips VALUES (DEFAULT), (DEFAULT)")

    restored = case.back(aside=case.folder.parent / "7.1")

    assert restored.newer is not None
    assert restored.newer.rows == 7
    case.written(*more[1:], "ALTER TABLE zips ADD id serial PRIMARY KEY")
    put_values(case.url, case.folder.parent / "7.1")
    assert case.values("SELECT zip FROM shops ORDER BY id") == ["z1", "z2", "z3", "z4", "z5"]
    assert case.values("SELECT id FROM zips ORDER BY id") == [1, 2]


def test_a_lost_connection_is_told_and_leaves_nothing(case: Case) -> None:
    def lose(said: str) -> None:
        if said.startswith("stock"):
            others = "pid <> pg_backend_pid() AND datname = current_database()"
            ended = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"
            executed(case.url, [ended])

    with pytest.raises(DatabaseError, match="the connection to the database was lost"):
        preserve(case.url, [CITY, STOCK], case.folder, about=ABOUT, schema="", tell=lose)

    assert list(case.folder.iterdir()) == []
