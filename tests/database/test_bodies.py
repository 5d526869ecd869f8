"""What the text of a function or a view tells."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dayfly.database.impact.breaking.views import read_view
from dayfly.database.impact.code.bodies import ANYTHING, Write, read_body
from dayfly.database.impact.code.firing import only
from dayfly.database.impact.code.steering import OTHERS
from dayfly.database.impact.unseen.undecided import is_other
from dayfly.database.impact.words import tokens


@pytest.mark.parametrize(
    ("body", "writes"),
    [
        ("INSERT INTO a.b (x) VALUES (1);", {("INSERT", "b", "")}),
        ("UPDATE t SET x = 1, (y, z) = (SELECT 1, 2) WHERE q = 3;",
         {("UPDATE", "t", "x"), ("UPDATE", "t", "y"), ("UPDATE", "t", "z")}),
        ("INSERT INTO t VALUES (1) ON CONFLICT (x) DO UPDATE SET n = t.n + 1;",
         {("INSERT", "t", ""), ("UPDATE", "t", "n")}),
        ("PERFORM 1 FROM t FOR UPDATE; DELETE FROM ONLY u;", {("DELETE", "u", "")}),
        ("IF TG_OP = 'UPDATE' THEN UPDATE t SET x = 1; END IF;", {("UPDATE", "t", "x")}),
        ("EXECUTE 'DELETE FROM t WHERE x = $1' USING NEW.x;", {("DELETE", "t", "")}),
        ("EXECUTE format('INSERT INTO part_%s VALUES (%L)', NEW.x, 1);",
         {("INSERT", f"part_{ANYTHING}", "")}),
        ("TRUNCATE TABLE a, ONLY b RESTART IDENTITY;", {("DELETE", "a", ""), ("DELETE", "b", "")}),
        ("TRUNCATE s.a, b CASCADE;", {("TRUNCATE", "a", ""), ("TRUNCATE", "b", "")}),
        ("MERGE INTO t USING u ON t.x = u.x WHEN MATCHED THEN DELETE;",
         {("INSERT", "t", ""), ("DELETE", "t", "")}),
        ("BEGIN DROP TABLE IF EXISTS t; END", {("SCHEMA", "t", "")}),
        ("-- DELETE FROM t\nRETURN NEW; /* UPDATE t SET x = 1 */", set()),
    ],
)  # fmt: skip
def test_which_tables_and_columns_a_body_writes(body: str, writes: set[object]) -> None:
    found = read_body(body, "plpgsql")
    assert {(w.verb, w.table, w.column) for w in found.writes} == writes
    assert not found.unread


@pytest.mark.parametrize(
    ("body", "columns"),
    [
        ("BEGIN NEW.x := 1; NEW.y = 2; RETURN NEW; END", {"x", "y"}),
        ("BEGIN IF NEW.x = 1 THEN NEW.y := 2; END IF; RETURN NEW; END", {"y"}),
        ("BEGIN SELECT a, b INTO STRICT NEW.x, NEW.y FROM t; RETURN NEW; END", {"x", "y"}),
        ("BEGIN NEW := OLD; RETURN NEW; END", {"*"}),
        ('BEGIN NEW."X" := 1; RETURN NEW; END', {"X"}),
        ("BEGIN RETURN NEW; END", set()),
    ],
)
def test_which_columns_of_the_new_row_a_body_sets(body: str, columns: set[str]) -> None:
    assert {column for column, _ in read_body(body, "plpgsql").sets} == columns


@pytest.mark.parametrize(
    ("body", "returns"),
    [
        ("RETURN NEW;", {"new"}),
        ("RETURN COALESCE(NEW, OLD);", {"new"}),
        ("IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW;", {"new", "old"}),
        ("RETURN NULL;", {"nothing"}),
        ("RETURN r;", {"other"}),
    ],
)
def test_what_a_trigger_returns(body: str, returns: set[str]) -> None:
    assert read_body(body, "plpgsql").returns == returns


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        ("IF pg_table_size('t') > 1 THEN DROP TABLE t; END IF;", {"pg_table_size()"}),
        ("n := random(); UPDATE t SET x = now(); RAISE '%', version();", {"random()"}),
        ("PERFORM pg_notify('a', 'b'); PERFORM FROM pg_locks; INSERT INTO t VALUES (now());",
         {"pg_locks"}),
        ("EXECUTE format('DROP TABLE t_%s', now()); EXECUTE 'DELETE FROM t' USING random();",
         {"now()"}),
        ("EXECUTE 'SELECT version()' INTO v;", {"version()"}),
        ("BEGIN a; EXCEPTION WHEN duplicate_table OR others THEN b; END", {OTHERS}),
        ("BEGIN a; EXCEPTION WHEN duplicate_table THEN RAISE EXCEPTION 'x'; END", set()),
        ("SELECT FROM tables WHERE table_catalog = current_database();", set()),
        ("SELECT FROM tables t WHERE current_database() = t.table_catalog;", set()),
        ('IF (SELECT max(version) FROM "user") > 1 THEN DROP TABLE t; END IF;', set()),
        ("IF user = 'x' THEN DROP TABLE t; END IF;", {"user"}),
        ("BEGIN a; EXCEPTION WHEN SQLSTATE '42701' THEN b; WHEN SQLSTATE '23505' THEN c; END",
         {OTHERS}),
        ("SELECT FROM tables WHERE table_catalog = 'live';", {"table_catalog"}),
    ],
)  # fmt: skip
def test_for_what_a_body_asks_that_may_be_otherwise_elsewhere(body: str, asks: set[str]) -> None:
    assert {name for name in read_body(body, "plpgsql").asks if is_other(name)} == asks


def test_what_nobody_can_read_is_said() -> None:
    assert read_body("return 1", "plpython3u").unread[0] == "is written in plpython3u"
    assert "puts its SQL together" in read_body("EXECUTE a || b;", "plpgsql").unread[0]
    assert "changes the schema" in read_body("BEGIN ALTER ROLE x; END", "plpgsql").unread[0]


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ("IF TG_OP = 'DELETE' THEN a; ELSE b; END IF; c;", "b c"),
        ("IF (TG_OP = 'INSERT') THEN a; ELSIF (TG_OP = 'DELETE') THEN b; END IF; c;", "a c"),
        ("IF TG_OP IN ('UPDATE', 'DELETE') THEN IF x THEN b; ELSE b; END IF; b; END IF; c;", "c"),
        ("IF TG_OP = 'UPDATE' OR TG_OP = 'INSERT' THEN a; END IF;", "a"),
        ("IF TG_OP = 'UPDATE' OR a THEN b; END IF;", "a b"),
        ("IF TG_OP <> 'DELETE' THEN a; END IF;", "a"),
        ("IF TG_OP = 'DELETE' THEN DROP TABLE IF EXISTS b; ELSE a; END IF;", "a"),
        ("IF TG_OP = 'DELETE' THEN b := CASE WHEN b THEN b ELSE c END; END IF;", "c"),
    ],
)
def test_what_a_trigger_does_as_rows_are_put_in(body: str, left: str) -> None:
    words = only(list(tokens(body)), "INSERT")
    assert " ".join(w.lower() for w in words if w in "ABC") == left


@given(st.text("IF TG_OP = 'DELETE' THEN ELSE END IF;(WHEN ELSIF", max_size=80))
def test_any_trigger_is_read(text: str) -> None:
    words = list(tokens(text))
    assert len(only(words, "INSERT")) <= len(words)


@given(st.text("INSERT INTO UPDATE SET new.x:=;()'$%,execute format return ", max_size=80))
@example("EXECUTE")
def test_any_text_is_read(text: str) -> None:
    assert all(isinstance(write, Write) for write in read_body(text, "plpgsql").writes)
    read_view(f"SELECT {text}", ["a"])


@pytest.mark.parametrize(
    "other",
    [
        "SELECT orders.id, orders.name FROM orders WHERE status = 'open'",
        "SELECT o.id, o.name FROM orders o WHERE o.status = 'open';",
        "SELECT id,\n name FROM orders o\n WHERE status = 'open'",
    ],
)
def test_a_view_in_other_words_is_the_same(other: str) -> None:
    said = "SELECT id, name FROM orders WHERE status = 'open'"
    assert read_view(other, ["id", "name"]) == read_view(said, ["id", "name"])


def test_a_view_is_taken_apart() -> None:
    text = "SELECT o.id, count(*) AS n FROM o LEFT JOIN c ON c.id = o.c WHERE o.x GROUP BY o.id"
    found = read_view(text, ["id", "n"])
    assert found.columns == {"id": ("ID",), "n": ("COUNT", "(", "*", ")")}
    assert [join[:3] for join in found.joins] == [("LEFT", "JOIN", "C")]
    assert found.rest[:2] == ("WHERE", "X")
