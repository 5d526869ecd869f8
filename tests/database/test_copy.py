"""Scratch copies of a database that stands for production."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from dayfly.database import begun
from dayfly.database.answer import Question, of_files
from dayfly.database.capture import capture
from dayfly.database.copy import Copies, copy_of
from dayfly.database.dump import dumped
from dayfly.database.figures import Values
from dayfly.database.prepared import MOST_KEPT, prepared
from dayfly.database.production import Production, observed
from dayfly.database.programs import DatabaseError, programs, programs_for
from dayfly.database.scratch import ScratchServer, scratch_server
from migrating import applying, asked, write

pytestmark = pytest.mark.postgres

SHOP = r"""
    CREATE TYPE mood AS ENUM ('glad', 'sad');
    CREATE TYPE spot AS (x int, label text);
    CREATE DOMAIN email AS text CHECK (VALUE ~ '^[^@]+@[^@]+\.[a-z]+$');
    CREATE TABLE customers (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email email NOT NULL UNIQUE,
        mood mood NOT NULL, moods mood[] NOT NULL, spot spot, tags text[] NOT NULL, data jsonb,
        country char(2) NOT NULL CHECK (country ~ '^[A-Z]{2}$'), share numeric(3,3) NOT NULL,
        born date NOT NULL, joined date NOT NULL, CHECK (joined > born),
        search tsvector GENERATED ALWAYS AS (to_tsvector('simple', email::text)) STORED
    );
    CREATE TABLE orders (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer uuid NOT NULL REFERENCES customers, state text NOT NULL DEFAULT 'new',
        kind varchar(3) NOT NULL CHECK (kind IN ('web', 'tel')), follows bigint REFERENCES orders
    );
    CREATE TABLE lines (
        order_id bigint REFERENCES orders, number int, price int NOT NULL CHECK (price >= 500),
        during int4range, PRIMARY KEY (order_id, number), EXCLUDE USING gist (during WITH &&)
    );
    CREATE TABLE hens (id int PRIMARY KEY, egg int NOT NULL);
    CREATE TABLE eggs (id int PRIMARY KEY, hen int NOT NULL REFERENCES hens);
    ALTER TABLE hens ADD FOREIGN KEY (egg) REFERENCES eggs;
    CREATE TABLE visits (day date, page text, PRIMARY KEY (day, page)) PARTITION BY RANGE (day);
    CREATE TABLE visits_23 PARTITION OF visits FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
    CREATE TABLE visits_rest PARTITION OF visits DEFAULT;
    CREATE TABLE refused (id int PRIMARY KEY, CHECK (id < 0 AND id > 0));
    CREATE TABLE of_the_refused (id int PRIMARY KEY REFERENCES refused);
    CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
    INSERT INTO alembic_version VALUES ('a1');
    CREATE FUNCTION angry() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN RAISE EXCEPTION ''no''; END';
    CREATE TRIGGER angry BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION angry();
    CREATE MATERIALIZED VIEW per_state AS SELECT state, count(*) FROM orders GROUP BY state;
"""
FILLED = ["customers", "orders", "lines", "hens", "eggs", "visits_23", "visits_rest", "per_state"]


def count(url: str, table: str) -> object:
    return asked(url, f"SELECT count(*) FROM {table}".encode())


def test_every_table_gets_rows_and_what_stays_empty_is_named(
    production: str, scratch: Path
) -> None:
    asked(production, SHOP.encode())
    with copy_of(production, folder=scratch) as copies:
        url = copies.fresh()
        assert {table: count(url, table) for table in FILLED if not count(url, table)} == {}
        assert copies.unfilled == ("public.of_the_refused", "public.refused")
        assert asked(url, "SELECT version_num FROM alembic_version") == "a1"
        assert asked(url, "SELECT count(*) FROM orders WHERE state = 'new'") == 3
        asked(url, "ALTER TABLE orders DISABLE TRIGGER angry")
        new = "INSERT INTO orders (customer, kind) SELECT id, 'web' FROM customers LIMIT 1"
        asked(url, new.encode())
        assert asked(url, "SELECT max(id) FROM orders") == 1001, "free of the synthetic numbers"
    assert count(production, "orders") == 0


def test_a_copy_is_kept_by_what_the_schema_says(production: str, scratch: Path) -> None:
    asked(production, b"CREATE TABLE a (id int); CREATE TABLE django_migrations (name text)")
    folder = scratch / "kept"
    with copy_of(production, folder=folder) as copies:
        assert copies.fresh() != copies.fresh()
    [kept] = folder.glob("prepared-*")
    asked(production, "INSERT INTO django_migrations VALUES ('later')")

    with copy_of(production, folder=folder) as copies:
        assert list(folder.glob("prepared-*")) == [kept]
        assert asked(copies.fresh(), "SELECT name FROM django_migrations") == "later"
    asked(production, "ALTER TABLE a ADD b int")
    with copy_of(production, folder=folder) as copies:
        assert len(list(folder.glob("prepared-*"))) == 2
        assert not list(folder.glob("server-*/data/captured/*.csv"))

    os.utime(kept, (0, 0))
    with copy_of(production, folder=folder):
        assert not kept.exists(), "not used for long"


def test_what_is_published_is_published_on_the_copy(
    production: str, elsewhere: ScratchServer, scratch: Path, tmp_path: Path
) -> None:
    """Of tables whose rows nothing tells apart, too, the tool's own among them."""
    asked(production, b"CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE loose (k int)")
    asked(production, "CREATE TABLE django_migrations (name text)")
    admin = elsewhere.url(conninfo_to_dict(production)["dbname"])
    asked(admin, b"CREATE PUBLICATION told FOR TABLE orders; ALTER PUBLICATION told OWNER TO app")
    asked(admin, b"CREATE PUBLICATION all_of_it FOR ALL TABLES; COMMENT ON PUBLICATION told IS 'x'")
    question = Question(url=production, folder=scratch, budget=1)
    verdicts = {
        "CREATE TABLE parts (id int PRIMARY KEY); ALTER PUBLICATION told ADD TABLE parts": "online",
        "DROP PUBLICATION told": "staged",
        "ALTER PUBLICATION told DROP TABLE orders": "staged",
    }

    for number, (text, verdict) in enumerate(verdicts.items()):
        impact = of_files(question, write(tmp_path / str(number), {"1.sql": text})).impact
        assert impact.verdict == verdict, impact.findings
    with copy_of(production, folder=scratch) as copies:
        assert count(copies.fresh(), "pg_publication") == 2
        assert count(copies.without_rows(), "loose") == 0


def test_sizes_are_productions(production: str, scratch: Path) -> None:
    asked(
        production,
        b"""
        CREATE TABLE big AS SELECT generate_series(1, 5000) AS id; ANALYZE big;
        CREATE TABLE unknown AS SELECT generate_series(1, 5000) AS id;
        CREATE TABLE p (id int) PARTITION BY LIST (id);
        CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
        INSERT INTO p SELECT 1 FROM generate_series(1, 300); ANALYZE p1;
    """,
    )
    asked(
        production,
        b"""
        CREATE TABLE long (id int, body text); ALTER TABLE long ALTER body SET STORAGE EXTERNAL;
        INSERT INTO long SELECT 1, repeat('x', 5000) FROM generate_series(1, 100); ANALYZE long;
    """,
    )
    found = observed(production)
    sizes = found.sizes
    assert sizes["public", "long"].stored > 500_000 > sizes["public", "long"].bytes
    assert found.columns["public", "long"]["id"] == Values(width=4, distinct=1)
    assert sizes["public", "big"].rows == 5000
    assert sizes["public", "big"].pages > 10
    assert sizes["public", "unknown"].rows > 1000, "never analysed: from its bytes"
    assert sizes["public", "p"].rows == 300


@pytest.mark.parametrize(("zone", "rewritten"), [("Europe/Berlin", True), ("UTC", False)])
def test_a_copy_has_productions_time_zone(
    production: str,
    scratch: Path,
    zone: str,
    rewritten: bool,
) -> None:
    """Whether a table is rewritten may hang on it."""
    asked(production, "CREATE TABLE orders (placed timestamp)")
    database = conninfo_to_dict(production)["dbname"]
    asked(production, f"ALTER DATABASE {database} SET timezone = '{zone}'".encode())
    with copy_of(production, folder=scratch) as copies:
        url = copies.fresh()
        before = asked(url, "SELECT pg_relation_filenode('orders')")
        asked(url, "ALTER TABLE orders ALTER placed TYPE timestamptz")
        assert (asked(url, "SELECT pg_relation_filenode('orders')") != before) == rewritten


def test_a_copy_reads_dates_as_production_does(production: str, scratch: Path) -> None:
    asked(production, "CREATE TABLE orders (placed text)")
    database = conninfo_to_dict(production)["dbname"]
    asked(production, f"ALTER DATABASE {database} SET datestyle = 'SQL, DMY'".encode())
    with copy_of(production, folder=scratch) as copies:
        assert copies.unlike == ()
        assert asked(copies.fresh(), "SELECT '13/01/2026'::date::text") == "13/01/2026"


def test_a_time_zone_that_only_production_knows_is_told(
    production: str, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(*words: Any, **more: Any) -> Production:  # noqa: ANN401 - those of observed
        found = observed(*words, **more)
        return replace(found, settings={**found.settings, "TimeZone": "Middle/Earth"})

    monkeypatch.setattr(begun, "observed", elsewhere)
    with copy_of(production, folder=scratch) as copies:
        assert copies.unlike == ("TimeZone is not Middle/Earth: the server does not know it",)
        assert asked(copies.fresh(), "SELECT current_setting('timezone')") != "Middle/Earth"


@pytest.fixture
def as_admin(elsewhere: ScratchServer) -> Callable[[str, str], str]:
    """The same database, entered as somebody else."""

    def enter(url: str, user: str) -> str:
        name = str(conninfo_to_dict(url)["dbname"])
        return elsewhere.url(name) if user == "" else elsewhere.url(name, user, "secret")

    return enter


def test_roles_come_without_password_and_keep_their_rights(
    production: str, scratch: Path, as_admin: Callable[[str, str], str]
) -> None:
    admin = as_admin(production, "")
    asked(
        admin,
        b"""
        CREATE ROLE "shop staff" NOLOGIN BYPASSRLS;
        CREATE ROLE web LOGIN PASSWORD 'secret' IN ROLE "shop staff";
        CREATE TABLE orders (id int); CREATE SCHEMA web AUTHORIZATION web;
        GRANT SELECT (id) ON orders TO "shop staff"; ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON orders TO web USING (id > 0); ALTER TABLE orders OWNER TO app;
        CREATE TABLE web.carts (id int); ALTER TABLE web.carts OWNER TO web;
    """,
    )
    with copy_of(admin, folder=scratch) as copies:
        url = copies.fresh()
        assert asked(url, "SELECT tableowner FROM pg_tables WHERE tablename = 'carts'") == "web"
        assert asked(url, "SELECT polroles::regrole[]::text FROM pg_policy") == "{web}"
        assert asked(url, "SELECT has_column_privilege('web', 'orders', 'id', 'SELECT')") is True
        assert asked(url, "SELECT rolpassword FROM pg_authid WHERE rolname = 'web'") is None
        assert asked(url, "SELECT rolbypassrls FROM pg_roles WHERE rolname = 'shop staff'") is True


def test_a_copy_cannot_reach_other_servers(
    production: str, scratch: Path, as_admin: Callable[[str, str], str]
) -> None:
    """A migration that writes into a foreign table must not write there from a copy."""
    admin = as_admin(production, "")
    asked(
        admin,
        b"""
        CREATE EXTENSION postgres_fdw;
        CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'db.example');
        CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (user 'u', password 'secret');
        CREATE FOREIGN TABLE far (id int) SERVER elsewhere;
    """,
    )
    with copy_of(admin, folder=scratch) as copies:
        url = copies.fresh()
        assert asked(url, "SELECT count(*) FROM pg_user_mappings") == 0
        with pytest.raises(psycopg.Error, match="user mapping not found"):
            asked(url, "INSERT INTO far VALUES (1)")
        assert copies.unfilled == ()


def test_an_owner_without_superuser_suffices_and_a_grant_that_is_missing_is_named(
    production: str, scratch: Path, as_admin: Callable[[str, str], str]
) -> None:
    asked(production, "CREATE TABLE orders (id int)")
    with copy_of(production, folder=scratch) as copies:
        url = copies.fresh()
        assert asked(url, "SELECT tableowner FROM pg_tables WHERE tablename = 'orders'") == "app"
        assert asked(copies.as_production(url), "SELECT current_user") == "app"
        assert asked(copies.as_production(url), "SELECT rolsuper FROM pg_roles "
                     "WHERE rolname = current_user") is False  # fmt: skip
    asked(as_admin(production, ""), "CREATE ROLE reader LOGIN PASSWORD 'secret'")
    with (
        pytest.raises(DatabaseError, match="permission denied for table orders") as caught,
        copy_of(as_admin(production, "reader"), folder=scratch),
    ):
        pass
    assert 'GRANT SELECT ON orders TO "reader";' in caught.value.hint


def opened(url: str, scratch: Path) -> Copies:
    with copy_of(url, folder=scratch) as copies:
        return copies


@pytest.mark.parametrize(
    ("change", "message", "hint"),
    [
        ({"port": "1"}, "cannot be reached: .*Connection refused", "host and port"),
        ({"password": "guessed"}, "password authentication failed", "so may be its secret"),
        ({"dbname": "gone"}, 'database "gone" does not exist', "name in the URL"),
        ({"user": "stranger"}, "password authentication failed", "so may be its secret"),
    ],
)
def test_a_database_that_cannot_be_reached(
    production: str, scratch: Path, change: dict[str, str], message: str, hint: str
) -> None:
    parts = {**conninfo_to_dict(production), **change}
    url = "postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**parts)
    with pytest.raises(DatabaseError, match=message) as caught:
        opened(url, scratch)
    assert hint in caught.value.hint
    assert str(parts["password"]) not in caught.value.message


def test_a_url_that_is_none(scratch: Path) -> None:
    with pytest.raises(DatabaseError, match="URL cannot be read") as caught:
        opened("mysql://x", scratch)
    assert "postgresql://USER" in caught.value.hint


def test_a_catalogue_that_is_locked_is_not_waited_for(production: str, scratch: Path) -> None:
    asked(production, "CREATE TABLE alembic_version (version_num text)")
    with psycopg.connect(production) as busy:
        busy.execute("LOCK TABLE alembic_version")
        started = time.monotonic()
        with pytest.raises(DatabaseError, match="did not answer in time"):
            opened(production, scratch)
    assert time.monotonic() - started < 30


def test_the_programs_of_another_version(tmp_path: Path) -> None:
    assert programs_for(15, None) == programs(None)
    with pytest.raises(DatabaseError, match=r"runs PostgreSQL 99.*found: .*15") as caught:
        programs_for(99, None)
    assert "apt install postgresql-99" in caught.value.hint


def test_another_version_from_a_wheel(scratch: Path, tmp_path: Path) -> None:
    """16 beside 15: the copy, what is kept, and the log come from production's version."""
    try:
        wheel = programs_for(16, None)
    except DatabaseError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    write(tmp_path, {"1.sql": "ALTER TABLE orders ADD note text;"})
    with scratch_server(scratch / "wheel", wheel) as server, server.database() as url:
        asked(url, "CREATE TABLE orders (id int PRIMARY KEY)")
        with copy_of(url, folder=scratch) as copies:
            assert str(asked(copies.fresh(), "SHOW server_version")).startswith("16")
            found = capture(copies, applying(tmp_path))
    assert "ALTER TABLE orders ADD note text" in [s.text for one in found for s in one.statements]


def test_pg_dump_that_is_older_than_the_server(production: str, tmp_path: Path) -> None:
    old = tmp_path / "pg_dump"
    old.write_text(
        "#!/bin/sh\necho 'pg_dump: error: aborting because of server version mismatch' >&2; exit 1"
    )
    old.chmod(0o755)
    with pytest.raises(DatabaseError, match="server version mismatch"):
        dumped(production, tmp_path)


def test_an_extension_that_the_scratch_server_lacks(production: str, scratch: Path) -> None:
    facts = observed(production)
    other = Production(**{**vars(facts), "extensions": ("plpgsql", "postgis")})
    with pytest.raises(DatabaseError, match="has the extension postgis") as caught:
        prepared(scratch / "lacking", programs(None), "", other)
    assert "apt install postgresql-15-postgis" in caught.value.hint
    assert not list((scratch / "lacking").glob("prepared-*"))


def test_something_else_that_the_scratch_server_lacks(production: str, scratch: Path) -> None:
    schema = 'CREATE TABLE a (b text COLLATE "xx_YY");'
    with pytest.raises(DatabaseError, match=r'could not be restored: collation "xx_YY"'):
        prepared(scratch / "lacking", programs(None), schema, observed(production))


def test_many_tables_and_partitions(production: str, scratch: Path) -> None:
    """With their indexes and toast tables; most are partitions of one."""
    tables = [f"CREATE TABLE t{n} (id int PRIMARY KEY, name text)" for n in range(100)]
    parts = [
        f"CREATE TABLE p{n} PARTITION OF p FOR VALUES FROM ({n}) TO ({n + 1})" for n in range(300)
    ]
    whole = [*tables, "CREATE TABLE p (id int) PARTITION BY RANGE (id)", *parts]
    with psycopg.connect(production, autocommit=True) as connection:
        for at in range(0, len(whole), 200):
            connection.execute(";".join(whole[at : at + 200]).encode())
    with copy_of(production, folder=scratch) as copies:
        assert copies.unfilled == ()
        assert count(copies.fresh(), "p") == 24
        assert len(copies.production.sizes) == 401


def test_hundreds_of_partitions_are_told_as_one_table(
    production: str, scratch: Path, tmp_path: Path
) -> None:
    parts = [
        f"CREATE TABLE p{n} PARTITION OF p FOR VALUES FROM ({n}) TO ({n + 1})" for n in range(500)
    ]
    asked(production, ";".join(["CREATE TABLE p (id int) PARTITION BY RANGE (id)", *parts]))
    write(tmp_path, {"1.sql": "ALTER TABLE p ADD note text;"})
    answer = of_files(Question(url=production, folder=scratch, budget=1.0), tmp_path)
    assert answer.impact.verdict == "online"
    assert [found.table for found in answer.impact.findings] == ["p"]


def test_only_the_newest_few_are_kept(production: str, scratch: Path) -> None:
    folder = scratch / "few"
    older = [folder / f"prepared-{number}" for number in range(MOST_KEPT + 1)]
    for number, path in enumerate(older):
        path.mkdir(parents=True)
        os.utime(path, (time.time() - number, time.time() - number))
    made = prepared(folder, programs(None), "CREATE TABLE t (id int);", observed(production))
    assert set(folder.glob("prepared-*")) == {made.base, *older[: MOST_KEPT - 1]}
