"""Guard, keep, drop in a live database, again and again, whatever table and default."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql

from bridges import dropped, guarded, kept
from copies import Copies, executed, migration
from dayfly.clock import Stop
from dayfly.database.bridge import Bridge
from dayfly.database.bridging import guard
from dayfly.database.impact.assess import assess
from dayfly.database.impact.schema.snapshot import snapshot
from dayfly.database.programs import DatabaseError
from dayfly.database.scratch import ScratchServer
from dayfly.database.sqlfiles import LockedError
from migrating import asked

pytestmark = pytest.mark.postgres

Verb = Callable[[str, list[Bridge]], None]
X = Bridge(schema="public", table="t", column="x", default="7")
ADD = ("ALTER TABLE t ADD x int NOT NULL DEFAULT 7", "ALTER TABLE t ALTER x DROP DEFAULT")
INSERT = b"INSERT INTO t (v) VALUES ('a')"


def catalogue(url: str) -> object:
    with psycopg.connect(url) as connection:
        return snapshot(connection).named


@pytest.fixture
def t(production: str) -> str:
    executed(production, ["CREATE TABLE t (id serial, v text)"])
    return production


@pytest.mark.parametrize("again", [(1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2), (2, 2, 2)])
def test_each_verb_can_be_run_again(t: str, again: tuple[int, int, int]) -> None:
    plain = catalogue_after(t, ADD)
    for verb, times in zip((guarded, kept, dropped), again, strict=True):
        for _ in range(times):
            verb(t, [X])
            if verb is not dropped:
                asked(t, INSERT)
        if verb is guarded:
            executed(t, ADD)
            asked(t, INSERT)
    assert catalogue(t) == plain


def catalogue_after(url: str, statements: tuple[str, ...]) -> object:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())
        found = snapshot(connection).named
        connection.rollback()
    return found


def test_a_crash_in_the_midst_leaves_what_can_be_gone_on_with(t: str) -> None:
    other = Bridge(schema="public", table="gone", column="x", default="1")
    with pytest.raises(DatabaseError, match=r"gone\.x cannot be bridged: there is no such table"):
        guarded(t, [X, other])
    executed(t, ["CREATE TABLE gone (id int)"])
    guarded(t, [X, other])
    executed(t, ADD)
    executed(t, ["DROP TABLE gone"])
    kept(t, [X, other])
    asked(t, INSERT)
    dropped(t, [X, other])
    assert asked(t, b"SELECT count(*) FROM pg_proc WHERE proname ~ 'dayfly'") == 0


@pytest.mark.parametrize("through", [(guarded,), (guarded, kept), (guarded, kept, kept)])
def test_a_migration_that_failed_leaves_the_old_default(
    production: str, through: tuple[Verb, ...]
) -> None:
    executed(production, ["CREATE TABLE t (v text, x int NOT NULL DEFAULT 7)"])
    before = catalogue(production)
    for verb in (*through, dropped):
        verb(production, [X])
    assert catalogue(production) == before
    asked(production, INSERT)


def test_a_default_that_somebody_else_set_meanwhile_stays(t: str) -> None:
    guarded(t, [X])
    executed(t, ADD)
    kept(t, [X])
    executed(t, ["ALTER TABLE t ALTER x SET DEFAULT 8"])
    dropped(t, [X])
    assert asked(t, b"INSERT INTO t DEFAULT VALUES RETURNING x") == 8


def test_a_default_that_stays_is_not_touched(t: str) -> None:
    guarded(t, [X])
    executed(t, ["ALTER TABLE t ADD x int NOT NULL DEFAULT 8"])
    for verb in (kept, dropped):
        verb(t, [X])
    assert asked(t, b"INSERT INTO t DEFAULT VALUES RETURNING x") == 8


def test_inserts_of_any_form(t: str) -> None:
    executed(t, ["ALTER TABLE t ADD UNIQUE (id)"])
    guarded(t, [X])
    executed(t, ADD)
    executed(t, [
        "INSERT INTO t (v) VALUES ('a'), ('b')",
        "INSERT INTO t (v) SELECT v FROM t",
        "INSERT INTO t (id, v) VALUES (1, 'c') ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v",
        "WITH new AS (INSERT INTO t (v) VALUES ('d') RETURNING id) SELECT * FROM new",
        "INSERT INTO t VALUES (9, 'e')",
        "CREATE VIEW w AS SELECT id, v FROM t",
        "INSERT INTO w (v) VALUES ('f')",
        "INSERT INTO t (x) VALUES (8)",
    ])  # fmt: skip
    with (
        psycopg.connect(t) as connection,
        connection.cursor().copy("COPY t (id, v) FROM STDIN") as rows,
    ):
        rows.write_row((10, "g"))
    assert asked(t, b"SELECT string_agg(x::text, '' ORDER BY x) FROM t") == "777777778"


def test_a_snapshot_of_before_the_migration(t: str) -> None:
    """An open transaction of the outgoing release does not see the new column, yet has it."""
    with psycopg.connect(t) as old:
        old.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        old.execute("SELECT 1")
        guarded(t, [X])
        executed(t, ADD)
        old.execute(INSERT)
    assert asked(t, b"SELECT x FROM t") == 7


VALUES = (
    "'-0'::float8", "'NaN'::float4", "'-infinity'::float8", "'1.500'::numeric", "'NaN'::numeric",
    "'infinity'::timestamptz", "'2020-01-01 00:00:00.000001+00'::timestamptz", "'\\x00ff'::bytea",
    """'{"a":  1, "a": 2}'::json""", "'[1.0]'::jsonb", "ARRAY[NULL, 1]", "ROW(NULL, 1)::pair",
    "'[1,3)'::int4range", "'a  '::char(5)", "NULL::text", "repeat('x', 100000)",
)  # fmt: skip


def test_other_values_are_as_they_were_written(production: str) -> None:
    row = ", ".join(f"{value} AS c{number}" for number, value in enumerate(VALUES))
    executed(production, ["CREATE TYPE pair AS (a int, b int)", f"CREATE TABLE t AS SELECT {row}"])
    guarded(production, [X])
    executed(production, [f"INSERT INTO t SELECT {row}", *ADD, f"INSERT INTO t SELECT {row}"])
    executed(production, ["ALTER TABLE t DROP x"])
    with psycopg.connect(production) as connection:
        first, *others = connection.execute("SELECT t::text FROM t").fetchall()
    assert others == [first, first]


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        ("numeric(10,2)", "1.5"),
        ("varchar(9)", "'a''\\\\b'"),
        ("text", "E'it''s \\\\ $d$ {} % \\n'"),
        ("jsonb", """'{"a": ["it''s"]}'"""),
        ("json", """'{"a":  1}'"""),
        ("int[]", "ARRAY[1, NULL]"),
        ("text[]", "'{}'"),
        ("mood", "'sad'"),
        ("short", "'ok'"),
        ("pair", "ROW(NULL, NULL)::pair"),
        ("timestamptz", "'2020-01-01 00:00:00.000001+02'"),
        ("timestamptz", "'infinity'"),
        ("float8", "'-0'"),
        ("bytea", "'\\x00ff'"),
        ("bit(3)", "B'101'"),
        ("interval", "'1 day 02:03:04.5'"),
        ("uuid", "'2d6a5d0a-5b5c-4f43-9fb0-3bb5d4a8f3d1'"),
        ("int", "answer()"),
        ("boolean", "1 > 2"),
    ],
)  # fmt: skip
def test_a_default_of_any_type_comes_out_as_its_own(
    copies: Copies, kind: str, default: str
) -> None:
    add = (f"ALTER TABLE t ADD x {kind} NOT NULL DEFAULT {default}", ADD[1])
    with copies.fresh() as url:
        impact = assess(url, [migration(*add)], rows={}, budget=1.0)
    with copies.fresh() as url:
        [bridge] = impact.bridges
        path = url + "?options=-csearch_path%3D"  # of the outgoing release: none
        guarded(url, [bridge])
        executed(url, add)
        executed(path, ["INSERT INTO public.t DEFAULT VALUES"])
        kept(url, [bridge])
        executed(path, ["INSERT INTO public.t DEFAULT VALUES"])
        dropped(url, [bridge])
        assert asked(url, b"SELECT count(*) FROM t") == 4
        assert asked(url, b"SELECT count(DISTINCT x::text) FROM t") == 1


SCHEMA = (
    "CREATE TABLE t (v text)",
    "INSERT INTO t VALUES ('a'), ('b')",
    "CREATE TYPE mood AS ENUM ('happy', 'sad')",
    "CREATE DOMAIN short AS varchar(3) CHECK (length(VALUE) > 1)",
    "CREATE TYPE pair AS (a int, b text)",
    "CREATE FUNCTION answer() RETURNS int LANGUAGE sql AS 'SELECT 42'",
)


@pytest.fixture(scope="module")
def copies(elsewhere: ScratchServer) -> Copies:
    return Copies.of(elsewhere, SCHEMA)


@pytest.mark.parametrize("parts", [("p",), ("p", "p_2020")])
def test_partitions(production: str, parts: tuple[str, ...]) -> None:
    executed(production, [
        "CREATE TABLE p (k int, d date NOT NULL) PARTITION BY RANGE (d)",
        "CREATE TABLE p_2020 (d date NOT NULL, k int)",
        "ALTER TABLE p ATTACH PARTITION p_2020 FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')",
    ])  # fmt: skip
    add = ("ALTER TABLE p ADD x int NOT NULL DEFAULT 7", "ALTER TABLE p ALTER x DROP DEFAULT")
    later = "CREATE TABLE p_2021 PARTITION OF p FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')"
    plain = catalogue_after(production, (*add, later))
    inserts = [f"INSERT INTO {part} (d) VALUES ('2020-02-02')" for part in parts]
    bridges = [Bridge(schema="public", table="p", column="x", default="7")]
    with psycopg.connect(production, autocommit=True, prepare_threshold=0) as old:
        for step in (guarded, lambda url, _: executed(url, [*add, later]), kept):
            step(production, bridges)
            for insert in inserts:
                old.execute(insert.encode())
    assert asked(production, b"SELECT count(*) - count(x) FROM p") == 0
    dropped(production, bridges)
    assert catalogue(production) == plain


def test_names_of_any_kind(production: str) -> None:
    odd = Bridge(schema='My "S', table="Order's", column='x"y; --', default="'%s {}'::text")
    where = sql.Identifier(odd.schema, odd.table), sql.Identifier(odd.column)
    with psycopg.connect(production, autocommit=True) as connection:

        def run(statement: str) -> None:
            connection.execute(sql.SQL(statement).format(*where, sql.Identifier(odd.schema)))  # type: ignore[arg-type]

        run("CREATE SCHEMA {2}")
        run("CREATE TABLE {0} (v int)")
        guarded(production, [odd])
        run("INSERT INTO {0} (v) VALUES (1)")
        run("ALTER TABLE {0} ADD {1} text NOT NULL DEFAULT '%s {{}}'")
        run("ALTER TABLE {0} ALTER {1} DROP DEFAULT")
        run("INSERT INTO {0} (v) VALUES (1)")
        kept(production, [odd])
        run("INSERT INTO {0} (v) VALUES (1)")
        dropped(production, [odd])
        with pytest.raises(psycopg.errors.NotNullViolation):
            run("INSERT INTO {0} (v) VALUES (1)")


def test_it_fires_before_the_triggers_of_the_app(t: str) -> None:
    """As a default stands before them."""
    guarded(t, [X])
    executed(t, [
        *ADD,
        """CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS
           'BEGIN NEW.v := NEW.x + 1; RETURN NEW; END'""",
        'CREATE TRIGGER "AAA" BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION look()',
    ])  # fmt: skip
    assert asked(t, b"INSERT INTO t DEFAULT VALUES RETURNING v") == "8"


def test_a_lock_is_asked_for_again(t: str) -> None:
    told: list[str] = []
    holder = psycopg.connect(t)
    holder.execute(INSERT)

    def tell(line: str) -> None:
        told.append(line)
        holder.close()

    guard(t, [X], budget=0.05, stop=Stop(), tell=tell)
    assert told == [
        "the default of t.x: a lock was not to be had in time, attempt 1 of 10: others go first"
    ]
    executed(t, ADD)
    asked(t, INSERT)


def test_a_lock_that_is_never_to_be_had(t: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dayfly.database.patience.PAUSE_SECONDS", 0.01)
    with psycopg.connect(t) as holder:
        holder.execute(INSERT)
        with pytest.raises(LockedError, match=r"the default of t\.x"):
            guard(t, [X], budget=0.01, stop=Stop(), tell=print)


@pytest.fixture
def helper(elsewhere: ScratchServer, t: str) -> Iterator[str]:
    """A role that is not the owner: the URL with which it comes in."""
    name = t.rpartition("/")[2]
    admin = elsewhere.url(name)
    executed(admin, ["CREATE ROLE helper LOGIN PASSWORD 'x'"])
    yield elsewhere.url(name, "helper", "x")
    executed(admin, ["REASSIGN OWNED BY helper TO app", "DROP OWNED BY helper", "DROP ROLE helper"])


def test_a_grant_that_is_missing_is_named(helper: str, t: str, elsewhere: ScratchServer) -> None:
    with pytest.raises(DatabaseError, match="only the owner of the table") as caught:
        guarded(helper, [X])
    assert caught.value.hint.endswith('GRANT "app" TO "helper";')
    admin = elsewhere.url(t.rpartition("/")[2])
    executed(admin, ["ALTER TABLE t OWNER TO helper"])
    with pytest.raises(DatabaseError, match="may not create a function") as caught:
        guarded(helper, [X])
    assert caught.value.hint.endswith('GRANT CREATE ON SCHEMA "public" TO "helper";')
    executed(admin, [caught.value.hint.partition(": ")[2]])
    guarded(helper, [X])


def test_it_travels_as_json() -> None:
    value = X.as_json()
    assert value["keep"] == "ALTER TABLE public.t ALTER COLUMN x SET DEFAULT 7"
    assert value["drop"] == "ALTER TABLE public.t ALTER COLUMN x DROP DEFAULT"
    assert Bridge.from_json(value) == X
