"""Which code a statement runs, as its text tells."""

import pytest

from dayfly.database.captured import Statement
from dayfly.database.impact.code.bodies import Body, Write
from dayfly.database.impact.code.invoked import invoked
from dayfly.database.impact.replay.effects import Effect
from dayfly.database.impact.schema.catalogue import EMPTY, Catalogue, Routine

DELETES = Write(verb="DELETE", table="t")
DELETING = Routine(
    oid=1,
    name="f",
    schema="public",
    arguments="",
    result="integer",
    language="sql",
    body="DELETE FROM t RETURNING 1",
    grants=(),
)
CALLED = Catalogue({DELETING.key: DELETING})
PREPARED = ("PREPARE p AS DELETE FROM t", "PREPARE q (int) AS UPDATE t SET x = $1")


def run_by(text: str, catalogue: Catalogue = EMPTY) -> Body | None:
    return invoked(catalogue, Effect(statement=Statement(text=text)), PREPARED)


@pytest.mark.parametrize(
    "text",
    [
        "DO $$BEGIN DELETE FROM t; END$$",
        "DO $a$BEGIN DELETE FROM t; END$a$ LANGUAGE plpgsql",
        "DO LANGUAGE plpgsql $$BEGIN DELETE FROM t; END$$",
        "DO LANGUAGE 'plpgsql' $$BEGIN DELETE FROM t; END$$",
        "DO 'BEGIN DELETE FROM t; END'",
        "DO e'BEGIN DELETE FROM t; END' LANGUAGE plpgsql",
        "EXECUTE p",
        "EXPLAIN ANALYZE DELETE FROM t",
        "EXPLAIN (ANALYZE, BUFFERS) DELETE FROM t",
    ],
)
def test_what_is_run_deletes(text: str) -> None:
    found = run_by(text)
    assert found is not None
    assert found.writes == {DELETES}
    assert not found.unread


@pytest.mark.parametrize("text", ["DO LANGUAGE plpython3u $$x$$", "DO", "EXECUTE r"])
def test_what_nobody_can_read(text: str) -> None:
    found = run_by(text)
    assert found is not None
    assert found.unread


def test_the_last_that_was_prepared() -> None:
    found = run_by("EXECUTE q (5)")
    assert found is not None
    assert found.writes == {Write(verb="UPDATE", table="t", column="x")}


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("SELECT f()", True),
        ("CREATE TABLE n AS SELECT f()", True),
        ("CREATE TABLE n (x int DEFAULT f())", False),
        ("CREATE VIEW v AS SELECT f()", False),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY f", False),
        ("ALTER TABLE t ADD x int DEFAULT f()", True),
        ("ALTER TABLE t ALTER x SET DEFAULT f()", False),
        ("PREPARE r AS SELECT f()", False),
        ("EXECUTE r", True),
    ],
)
def test_a_function_is_called_now_or_later(text: str, runs: bool) -> None:
    assert (run_by(text, CALLED) is not None) == runs
