"""The seven stories. Each releases under load and gives figures; what is promised is asserted."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dayfly.clock import wait_until
from stories.clients import Tally
from stories.scene import Scene, scene

LARGE = 600_000  # rows on which an index takes longer than the budget
LONG = 350_000  # rows that are rewritten in about two seconds
QUIET_SECONDS = 0.5  # of load before a release and after it
Figures = dict[str, Any]


@dataclass(frozen=True)
class Story:
    name: str
    told: Callable[[Path, int], Figures]


def nullable_column(folder: Path, seed: int) -> Figures:
    sql = "ALTER TABLE entries ADD COLUMN note text"
    return _one(folder, seed, sql, _write("note", "'n'"), verdict="online")


def column_with_default(folder: Path, seed: int) -> Figures:
    sql = "ALTER TABLE entries ADD COLUMN kind text NOT NULL DEFAULT 'gift'"
    return _one(folder, seed, sql, _write("kind", "'fee'"), verdict="online")


def bridge(folder: Path, seed: int) -> Figures:
    """What Django emits: the outgoing release's inserts leave the column out."""
    sql = (
        "ALTER TABLE entries ADD COLUMN kind text DEFAULT 'gift' NOT NULL;\n"
        "ALTER TABLE entries ALTER COLUMN kind DROP DEFAULT;"
    )
    return _one(folder, seed, sql, _write("kind", "'fee'"), verdict="online")


def index_on_a_large_table(folder: Path, seed: int) -> Figures:
    """Refused as it was written; the finding's own SQL goes through."""
    with scene(folder, rows=LARGE, seed=seed) as made, made.load() as tally:
        refused = made.refused(
            made.book.changed("payer", "CREATE INDEX entries_payer ON entries (payer)")
        )
        verdict = made.prod.record(made.prod.newest())
        [blocking] = [f for f in verdict["impact"]["findings"] if f["kind"] == "blocks"]
        made.book.taken_back()
        safe = made.release(made.book.changed("payer", blocking["remedy"]))
        _quiet()
        there = made.rows(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'entries_payer'::regclass"
        )
    assert "makes writers wait" in refused.said
    assert there == [(True,)]
    return _held_true(made, tally, safe, "online")


def rename_in_two_releases(folder: Path, seed: int) -> Figures:
    """Both columns are written first; then only the new one, and the old one goes."""
    with scene(folder, seed=seed, warm='"2s"') as made, made.load() as tally:
        both = "INSERT INTO entries (payer, cents, amount) VALUES (%(payer)s, 7, 7) RETURNING id"
        expand = "ALTER TABLE entries ADD COLUMN amount int"
        first = made.release(made.book.changed("amount", expand, write=both))
        fill = "UPDATE entries SET amount = cents WHERE amount IS NULL"
        made.release(made.book.changed("fill", fill))
        made.book.set(contract='["*_drop_cents.sql"]')
        made.book.changed("optional", "ALTER TABLE entries ALTER COLUMN cents DROP NOT NULL")
        second = made.release(
            made.book.changed(
                "drop_cents",
                "ALTER TABLE entries DROP COLUMN cents",
                write="INSERT INTO entries (payer, amount) VALUES (%(payer)s, 7) RETURNING id",
                read="SELECT id, payer, amount FROM entries WHERE id = %(id)s",
            )
        )
        wait_until(lambda: "cents" not in _columns(made), seconds=60, what="the old column goes")
        _quiet()
    assert first["verdict"] == "online"
    return _held_true(made, tally, second, "online")


def held_while_it_blocks(folder: Path, seed: int) -> Figures:
    """Longer than the budget, shorter than the hold: clients wait, and none is turned away."""
    sql = "ALTER TABLE entries ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid()"
    with scene(folder, rows=LONG, seed=seed) as made, made.load() as tally:
        _quiet()
        receipt = made.release(made.book.changed("token", sql))
        _quiet()
    assert tally.slowest > 0.5
    return _held_true(made, tally, receipt, "downtime")


def downtime_and_back(folder: Path, seed: int) -> Figures:
    """Nobody is served for a moment; what was lost by it is there again after the rollback."""
    with scene(folder, seed=seed) as made, made.load() as tally:
        made.release(made.book.changed("note", "ALTER TABLE entries ADD COLUMN note text"))
        made.rows("UPDATE entries SET note = 'note ' || id WHERE id <= 2000 RETURNING id")
        before = made.rows("SELECT id, note FROM entries WHERE note IS NOT NULL ORDER BY id")
        dropped = made.book.changed("no_note", "ALTER TABLE entries DROP COLUMN note")
        refused = made.refused(dropped)
        receipt = made.release(dropped, "--now")
        gone = "note" not in _columns(made)
        _quiet()
        made.rolled_back()
        _quiet()
        after = made.rows("SELECT id, note FROM entries WHERE note IS NOT NULL ORDER BY id")
    assert "--window" in refused.said
    assert gone
    assert after == before
    assert tally.closed > 0
    assert made.prod.serving(made.app) == made.releases[-2]
    return _held_true(made, tally, receipt, "staged")


STORIES = (
    Story("a nullable column", nullable_column),
    Story("a NOT NULL column with a default", column_with_default),
    Story("the bridge", bridge),
    Story("an index on a large table", index_on_a_large_table),
    Story("a rename in two releases", rename_in_two_releases),
    Story("a migration that blocks for two seconds, held", held_while_it_blocks),
    Story("downtime, rolled back with preserved data", downtime_and_back),
)


def _one(folder: Path, seed: int, sql: str, write: str, *, verdict: str) -> Figures:
    """A release and a rollback, under load all the time."""
    with scene(folder, seed=seed) as made, made.load() as tally:
        _quiet()
        receipt = made.release(made.book.changed("change", sql, write=write))
        _quiet()
        made.rolled_back()
        _quiet()
    return _held_true(made, tally, receipt, verdict)


def _held_true(made: Scene, tally: Tally, receipt: Figures, verdict: str) -> Figures:
    """No client saw a failure, nothing acknowledged is gone, and HAProxy says the same."""
    assert receipt["verdict"] == verdict, receipt["impact"]
    assert tally.failed == []
    assert receipt["traffic"]["lost"] == 0
    assert len(tally.written) > 0
    assert tally.read > 0
    stages = {stage["stage"]: stage["seconds"] for stage in receipt["stages"]}
    return {
        **tally.figures(),
        "verdict": receipt["verdict"],
        "rollback": receipt["impact"]["rollback"]["state"],
        "stages": stages,
    }


def _write(column: str, value: str) -> str:
    return (
        f"INSERT INTO entries (payer, cents, {column}) VALUES (%(payer)s, 1, {value}) RETURNING id"
    )


def _columns(made: Scene) -> set[str]:
    question = "SELECT attname FROM pg_attribute WHERE attrelid = 'entries'::regclass AND attnum > 0 AND NOT attisdropped"
    return {row[0] for row in made.rows(question)}


def _quiet() -> None:
    time.sleep(QUIET_SECONDS)
