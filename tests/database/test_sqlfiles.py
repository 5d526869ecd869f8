"""A directory of plain SQL files, each run once."""

import json
import threading
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.database.flywaybooks import Row
from dayfly.database.flywaybooks import history as flyways_history
from dayfly.database.problems import shown
from dayfly.database.scratch import ScratchServer
from dayfly.database.sqlfiles import ONE_AT_A_TIME, apply_files, pending_files
from dayfly.database.sqlindexes import index_of
from dayfly.database.sqlleft import stays
from dayfly.database.sqlnames import SqlFileError, sql_files, version_of
from dayfly.database.sqlplan import alone
from dayfly.database.sqltext import split
from migrating import asked, write

FIRST = {"001_orders.sql": "CREATE TABLE orders (id int PRIMARY KEY);"}


def names(directory: Path, url: str | None = None) -> list[str]:
    return [file.name for file in pending_files(url, directory)]


@pytest.mark.parametrize(
    ("found", "order"),
    [
        (["10_b.sql", "9_a.sql", "2_c.sql"], ["2_c.sql", "9_a.sql", "10_b.sql"]),
        (["002_b.sql", "002_a.sql", "seed.sql"], ["002_a.sql", "002_b.sql", "seed.sql"]),
        (["1.up.sql", "1.down.sql", "readme.md"], ["1.up.sql"]),
        (["V10__c.sql", "V2__b.sql", "V1.1__a.sql", "R__views.sql", "V1_2__aa.sql", "U2__b.sql"],
         ["V1.1__a.sql", "V1_2__aa.sql", "V2__b.sql", "V10__c.sql", "R__views.sql"]),
        (["V3__4__d.sql", "V3.1__5_e.sql"], ["V3__4__d.sql", "V3.1__5_e.sql"]),
    ],
)  # fmt: skip
def test_the_order(tmp_path: Path, found: list[str], order: list[str]) -> None:
    assert names(write(tmp_path, dict.fromkeys(found, "SELECT 1;"))) == order


@given(st.lists(st.integers(0, 99), min_size=1, max_size=4), st.sampled_from("._"))
def test_flyways_versions_compare_by_number(parts: list[int], sign: str) -> None:
    version = version_of(sign.join(map(str, parts)))
    assert version == version_of(sign.join(f"{part:03d}" for part in parts) + ".0")
    assert version < version_of(sign.join(map(str, [*parts[:-1], parts[-1] + 1])))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no SQL files there"),
        ({"1.sql": "-- migrate:up\nSELECT 1;\n-- migrate:down\nDROP TABLE x;"}, "another tool"),
        ({"1.sql": "-- +goose Up\nSELECT 1;"}, r"another tool \(-- \+goose Up\)"),
        ({"1.sql": "\\i other.sql\n"}, r"command of psql \(\\i\)"),
        ({"1.sql": "COPY t (a) FROM stdin;\n1\n\\.\n"}, "rows for COPY … FROM stdin"),
        ({"V1__a.sql": "GRANT SELECT ON t TO ${role};"}, r"placeholder \$\{role\}"),
        ({"V1__a.sql": "SELECT 1;", "V1.0__b.sql": "SELECT 1;"}, "have the same version"),
        ({"V1__a.sql": "SELECT 1;", "afterMigrate.sql": "SELECT 1;"}, "not run in their order"),
        (
            {"V1__a.sql": "SELECT 1;", "V1__a.sql.conf": "executeInTransaction=false"},
            "V1__a.sql.conf lies among",
        ),
        ({"1.sql": "SELECT 1;", "2.SQL": "SELECT 1;"}, r"2.SQL does not end in \.sql"),
        ({"1_a.sql": "SELECT 1;", "1_a_down.sql": "SELECT 1;"}, "the way back of 1_a.sql"),
        ({"1_a_up.sql": "SELECT 1;", "1_a-rollback.sql": "SELECT 1;"}, "the way back of 1_a.sql"),
        ({"V1__a.sql": "SELECT 1;", "more/V2__b.sql": "SELECT 1;"}, "more/V2__b.sql lies among"),
    ],
)
def test_a_directory_that_cannot_be_run(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    with pytest.raises(SqlFileError, match=message) as caught:
        sql_files(write(tmp_path, files))
    assert caught.value.hint


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "1.sql").write_bytes("SELECT 'ü'".encode("latin-1"))
    with pytest.raises(SqlFileError, match="is not UTF-8"):
        sql_files(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ALTER TABLE a ADD b int; CREATE INDEX i ON a (b);", False),
        ("CREATE INDEX CONCURRENTLY i ON a (b);", True),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v;", False),
        ("DROP INDEX concurrently i;", True),
        ("ALTER TABLE p DETACH PARTITION q CONCURRENTLY;", True),
        ("UPDATE a SET \"concurrently\" = 'CONCURRENTLY'; -- CONCURRENTLY", False),
        ("VACUUM a;", True),
        ("CLUSTER;", True),
        ("CLUSTER a;", False),
        ("BEGIN; ALTER TABLE a ADD b int; COMMIT;", True),
        ("DO $$ BEGIN COMMIT; END $$", False),
        ("\n-- dayfly: no transaction\nALTER TYPE mood ADD VALUE 'x';", True),
        ("ALTER TYPE mood ADD VALUE 'x';", False),
        ("SAVEPOINT a; ALTER TABLE orders ADD a int; ROLLBACK TO SAVEPOINT a;", False),
        ("BEGIN; SAVEPOINT a; RELEASE a; COMMIT;", True),
    ],
)
def test_what_needs_to_run_without_a_transaction(text: str, expected: bool) -> None:
    assert alone(text) is expected


@pytest.mark.postgres
def test_each_file_runs_once_in_a_transaction(production: str, tmp_path: Path) -> None:
    write(tmp_path, FIRST)
    assert apply_files(production, tmp_path) == ("001_orders.sql",)
    assert apply_files(production, tmp_path) == ()
    write(
        tmp_path,
        {
            "002_path.sql": "SET search_path = pg_catalog; ALTER TABLE public.orders ADD a int;",
            "003_broken.sql": "ALTER TABLE orders ADD b int;\n\nALTER TABLE orders ADD missing;",
            "004_never.sql": "SELECT 1;",
        },
    )
    with pytest.raises(SqlFileError, match=r"003_broken.sql, line 3: .*syntax error") as caught:
        apply_files(production, tmp_path)
    assert caught.value.hint == "Nothing of it stays."
    assert names(tmp_path, production) == ["003_broken.sql", "004_never.sql"]
    assert asked(production, "SELECT string_agg(attname, ',') FROM pg_attribute "
                 "WHERE attrelid = 'orders'::regclass AND attnum > 0") == "id,a"  # fmt: skip


@pytest.mark.parametrize(
    ("text", "done", "index", "expected"),
    [
        ("VACUUM missing", 0, "", "Nothing of it stays, but what it has committed on its way."),
        ("ALTER SYSTEM SET a = 1", 0, "", "Nothing of it stays."),
        (
            "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)", 0, "i",
            "An invalid index stays: DROP INDEX CONCURRENTLY i;",
        ),
        (
            "SELECT 1; VACUUM missing", 1, "",
            ("It runs without a transaction: the first 1 of its 2 statements stay. "
            "Undo them, or make the file able to run again."),
        ),
    ],
)  # fmt: skip
def test_what_stays_of_a_file_without_a_transaction(
    text: str, done: int, index: str, expected: str
) -> None:
    assert stays(split(text), done, index) == expected


@pytest.mark.postgres
def test_nothing_stays_where_the_first_statement_fails(production: str, tmp_path: Path) -> None:
    text = "-- dayfly: no transaction\nINSERT INTO missing VALUES (1); SELECT 1;"
    with pytest.raises(SqlFileError, match="missing") as caught:
        apply_files(production, write(tmp_path, {"001.sql": text}))
    assert caught.value.hint == "Nothing of it stays."


@pytest.mark.postgres
def test_a_file_without_a_transaction_that_fails_half_way(production: str, tmp_path: Path) -> None:
    text = """
        CREATE TABLE orders (id int);
        INSERT INTO orders VALUES (1), (1);
        CREATE UNIQUE INDEX CONCURRENTLY once ON orders (id);
    """
    with pytest.raises(SqlFileError, match=r"001.sql, line 3: could not create") as caught:
        apply_files(production, write(tmp_path, {"001.sql": text}))
    assert "the first 2 of its 3 statements stay" in caught.value.hint
    assert names(tmp_path, production) == ["001.sql"]


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"001_orders.sql": "CREATE TABLE orders (id bigint);"},
            r"001_orders.sql was changed after it ran: its SHA-256 was \w{12}…, and is \w{12}…",
        ),
        ({"001_orders.sql": None}, "has run 001_orders.sql, and the directory lacks it"),
        ({"000_late.sql": "SELECT 1;"}, "000_late.sql is new and comes before 002_b.sql"),
    ],
)
def test_files_that_contradict_the_books(
    production: str, tmp_path: Path, change: dict[str, str | None], message: str
) -> None:
    apply_files(production, write(tmp_path, {**FIRST, "002_b.sql": "SELECT 1;"}))
    for name, text in change.items():
        (tmp_path / name).unlink(missing_ok=True)
        if text:
            write(tmp_path, {name: text})
    with pytest.raises(SqlFileError, match=message) as caught:
        names(tmp_path, production)
    assert caught.value.hint
    with pytest.raises(SqlFileError, match=message):
        apply_files(production, tmp_path)


@pytest.mark.postgres
def test_the_ends_of_lines_are_no_change(production: str, tmp_path: Path) -> None:
    apply_files(production, write(tmp_path, {"1.sql": "SELECT 1;\nSELECT 2;\n"}))
    (tmp_path / "1.sql").write_bytes(b"\xef\xbb\xbfSELECT 1;\r\nSELECT 2;\r\n")
    assert names(tmp_path, production) == []


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("CREATE TABLE hers.lines (id int);", 'GRANT CREATE ON SCHEMA hers TO "app";'),
        ("ALTER TABLE hers.orders ADD x int;", 'ALTER TABLE orders OWNER TO "app";'),
        ("SELECT * FROM hers.orders;", 'GRANT SELECT ON orders TO "app";'),
    ],
)
def test_a_right_that_is_missing_is_named(
    production: str, elsewhere: ScratchServer, tmp_path: Path, text: str, hint: str
) -> None:
    hers = """
        CREATE SCHEMA hers; CREATE TABLE hers.orders (id int); GRANT USAGE ON SCHEMA hers TO app;
    """
    asked(elsewhere.url(production.rpartition("/")[2]), hers.encode())
    with pytest.raises(SqlFileError, match=r"1\.sql.*(permission denied|must be owner)") as caught:
        apply_files(production, write(tmp_path, {"1.sql": text}))
    assert hint in caught.value.hint
    assert caught.value.hint.endswith("Nothing of it stays.")


@pytest.mark.postgres
def test_two_runs_at_once_run_each_file_once(production: str, tmp_path: Path) -> None:
    write(tmp_path, {**FIRST, "002.sql": "CREATE INDEX CONCURRENTLY i ON orders (id);"})
    done: list[tuple[str, ...]] = []
    threads = [
        threading.Thread(target=lambda: done.append(apply_files(production, tmp_path)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done, key=len) == [(), (), ("001_orders.sql", "002.sql")]


@pytest.mark.postgres
def test_a_run_that_does_not_end_is_named(production: str, tmp_path: Path) -> None:
    with psycopg.connect(production) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (ONE_AT_A_TIME,))
        with pytest.raises(SqlFileError, match=r"not ended within 0\.3 s"):
            apply_files(production, write(tmp_path, FIRST), others_seconds=0.3)


# As Flyway makes it.
_FLYWAY = """
    CREATE TABLE flyway_schema_history (
        installed_rank integer NOT NULL PRIMARY KEY, version varchar(50),
        description varchar(200) NOT NULL, type varchar(20) NOT NULL, script varchar(1000) NOT NULL,
        checksum integer, installed_by varchar(100) NOT NULL,
        installed_on timestamp NOT NULL DEFAULT now(), execution_time integer NOT NULL,
        success boolean NOT NULL
    );
"""


def history(url: str, *rows: tuple[str | None, str, str, int | None, bool]) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(_FLYWAY)
        for rank, (version, kind, script, checksum, success) in enumerate(rows, 1):
            connection.execute(
                "INSERT INTO flyway_schema_history "
                "VALUES (%s, %s, 'x', %s, %s, %s, 'app', now(), 1, %s)",
                (rank, version, kind, script, checksum, success),
            )


@pytest.mark.postgres
def test_flyways_history_is_read_and_continued(production: str, tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "V1__orders.sql": "CREATE TABLE orders (id int);",
            "V2__a_note.sql": "ALTER TABLE orders ADD note text;",
            "R__view.sql": "CREATE OR REPLACE VIEW v AS SELECT 1 AS a;",
        },
    )
    first = {file.name: file for file in sql_files(tmp_path)}["V1__orders.sql"]
    asked(production, first.text.encode())
    history(
        production,
        ("1", "SQL", first.name, first.checksum, True),
        (None, "SQL", "R__view.sql", 17, True),
    )
    assert names(tmp_path, production) == ["V2__a_note.sql", "R__view.sql"]
    assert apply_files(production, tmp_path) == ("V2__a_note.sql", "R__view.sql")
    assert names(tmp_path, production) == []
    rows = asked(
        production,
        "SELECT json_agg(json_build_array(installed_rank, version, description, script) "
        "ORDER BY installed_rank) FROM flyway_schema_history WHERE installed_rank > 2",
    )
    assert json.loads(json.dumps(rows)) == [
        [3, "2", "a note", "V2__a_note.sql"],
        [4, None, "view", "R__view.sql"],
    ]
    assert asked(production, "SELECT to_regclass('dayfly_migrations')") is None


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            ("1", "SQL", "V1__orders.sql", 12345, True),
            "V1__orders.sql was changed after it ran: its checksum was 12345, and is ",
        ),
        (("1", "SQL", "V1__orders.sql", None, False), "failed in an earlier run of Flyway"),
        (("3", "SQL", "V3__gone.sql", 1, True), "has run V3__gone.sql"),
        (("2", "JDBC", "db.migration.V2__Fill", None, True), r"V2__Fill, which is no SQL \(JDBC\)"),
    ],
)
def test_flyways_history_contradicts_the_files(
    production: str, tmp_path: Path, row: tuple[str, str, str, int, bool], message: str
) -> None:
    write(tmp_path, {"V1__orders.sql": "CREATE TABLE orders (id int);"})
    history(production, row)
    with pytest.raises(SqlFileError, match=message):
        names(tmp_path, production)


@pytest.mark.postgres
def test_flyways_baseline_is_where_it_begins(production: str, tmp_path: Path) -> None:
    write(tmp_path, {f"V{n}__x.sql": "SELECT 1;" for n in (1, 2, 3)})
    history(production, ("2", "BASELINE", "<< Flyway Baseline >>", None, True))
    assert names(tmp_path, production) == ["V3__x.sql"]


@pytest.mark.parametrize(
    ("rows", "holds", "baseline"),
    [
        ([("SCHEMA", None, '"public"'), ("SQL", "1", "V1")], ["V1"], ()),
        ([("SQL", "1", "V1"), ("SQL", "2", "V2"), ("DELETE", "1", "V1")], ["V2"], ()),
        ([("SQL", "1", "V1"), ("DELETE", "1", "V1"), ("SQL", "1", "V1")], ["V1"], ()),
        ([("SQL", "1", "V1"), ("UNDO_SQL", "1", "U1"), ("SQL", None, "R")], ["R"], ()),
        (
            [("BASELINE", "1.2", "<<"), ("SQL_BASELINE", "3", "B3"), ("SQL", "4", "V4")],
            ["V4"],
            (3,),
        ),
    ],
)
def test_what_holds_of_flyways_history(
    rows: list[tuple[str, str | None, str]], holds: list[str], baseline: tuple[int, ...]
) -> None:
    found = flyways_history(Row(*row, checksum=1, success=True) for row in rows)
    assert ([*found.ran], found.baseline) == (holds, baseline)


def test_a_message_never_shows_the_password() -> None:
    assert shown("postgresql://ann:s3cret@db.example/shop") == "ann@db.example:5432/shop"


INVALID = "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS once ON orders (id);"


@pytest.mark.postgres
def test_an_index_that_is_invalid_is_never_written_down_as_made(
    production: str, tmp_path: Path
) -> None:
    asked(production, "CREATE TABLE orders (id int); INSERT INTO orders VALUES (1), (1)")
    write(tmp_path, {"001.sql": INVALID})
    with pytest.raises(SqlFileError, match="could not create unique index") as caught:
        apply_files(production, tmp_path)
    assert "An invalid index stays: DROP INDEX CONCURRENTLY once;" in caught.value.hint

    asked(production, "DELETE FROM orders")
    with pytest.raises(SqlFileError, match=r"line 1: the index once is there and invalid"):
        apply_files(production, tmp_path)
    assert names(tmp_path, production) == ["001.sql"]

    asked(production, "DROP INDEX once")
    assert apply_files(production, tmp_path) == ("001.sql",)


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("CREATE INDEX CONCURRENTLY a ON t (b)", "a"),
        ('create unique index concurrently if not exists "A b" on t (b)', "A b"),
        ("CREATE INDEX CONCURRENTLY ON t (b)", ""),
        ("CREATE INDEX a ON t (b)", ""),
        ("REINDEX INDEX CONCURRENTLY a", ""),
    ],
)
def test_the_index_that_a_statement_makes(statement: str, index: str) -> None:
    assert index_of(statement) == index


@pytest.mark.postgres
def test_what_ran_by_hand_can_be_written_down(production: str, tmp_path: Path) -> None:
    asked(production, "CREATE TABLE orders (id int)")
    write(tmp_path, FIRST)
    with pytest.raises(SqlFileError, match="already exists") as caught:
        apply_files(production, tmp_path)
    told = caught.value.hint.partition("write that down: ")[2]

    asked(production, told.encode())

    assert names(tmp_path, production) == []
