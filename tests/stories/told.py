"""The seven stories. Each releases under load; what is promised of it is asserted."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dayfly.clock import wait_until
from stories.clients import Tally
from stories.scene import Scene, scene

LARGE = 600_000  # rows on which an index takes longer than the budget
LONG = 350_000  # rows that are rewritten in about two seconds
QUIET_SECONDS = 0.5  # of load before a release and after it
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'entries_payer'::regclass"
COLUMNS = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = 'entries'::regclass AND attnum > 0 AND NOT attisdropped
"""
NOTES = "SELECT id, note FROM entries WHERE note IS NOT NULL ORDER BY id"
Figures = dict[str, Any]


@dataclass(frozen=True)
class Story:
    """`told` gives the receipt of the release that the verdict is promised for."""

    name: str
    told: Callable[[Scene, Tally], Figures]
    verdict: str
    rows: int = 2000
    settings: Mapping[str, str] = field(default_factory=dict)

    def run(self, folder: Path, seed: int) -> Figures:
        """No client sees a failure, nothing acknowledged is gone, and HAProxy says the same."""
        with scene(folder, rows=self.rows, seed=seed, **self.settings) as made:
            with made.load() as tally:
                _quiet()
                receipt = self.told(made, tally)
                _quiet()
            assert receipt["verdict"] == self.verdict, receipt["impact"]
            assert tally.failed == []
            assert receipt["traffic"]["lost"] == 0
            assert min(len(tally.written), tally.read) > 0
            assert made.lost(tally) == []
        stages = {stage["stage"]: stage["seconds"] for stage in receipt["stages"]}
        back = receipt["impact"]["rollback"]["state"]
        return {**tally.figures(), "verdict": self.verdict, "rollback": back, "stages": stages}


def _there_and_back(sql: str, column: str, value: str) -> Callable[[Scene, Tally], Figures]:
    """A release that writes one more column, and a rollback."""
    write = (
        f"INSERT INTO entries (payer, cents, {column}) VALUES (%(payer)s, 1, {value}) RETURNING id"
    )

    def told(made: Scene, _: Tally) -> Figures:
        receipt = made.release(made.book.changed(column, sql, write=write))
        _quiet()
        made.rolled_back()
        return receipt

    return told


def _large_index(made: Scene, _: Tally) -> Figures:
    """Refused as it was written; the finding's own SQL goes through."""
    refused = made.refused(
        made.book.changed("payer", "CREATE INDEX entries_payer ON entries (payer)")
    )
    verdict = made.prod.record(made.prod.newest())
    [blocking] = [f for f in verdict["impact"]["findings"] if f["kind"] == "blocks"]
    made.book.taken_back()
    receipt = made.release(made.book.changed("payer", blocking["remedy"]))
    assert "makes writers wait" in refused.said
    assert made.rows(VALID) == [(True,)]
    return receipt


def _rename(made: Scene, _: Tally) -> Figures:
    """Both columns are written first; then only the new one, and the old one goes."""
    both = "INSERT INTO entries (payer, cents, amount) VALUES (%(payer)s, 7, 7) RETURNING id"
    made.release(made.book.changed("amount", "ALTER TABLE entries ADD amount int", write=both))
    made.release(
        made.book.changed("fill", "UPDATE entries SET amount = cents WHERE amount IS NULL")
    )
    made.book.set(contract='["*_drop_cents.sql"]')
    made.book.changed("optional", "ALTER TABLE entries ALTER COLUMN cents DROP NOT NULL")
    receipt = made.release(
        made.book.changed(
            "drop_cents",
            "ALTER TABLE entries DROP COLUMN cents",
            write="INSERT INTO entries (payer, amount) VALUES (%(payer)s, 7) RETURNING id",
            read="SELECT id, payer, amount FROM entries WHERE id = %(id)s",
        )
    )
    assert "cents" in _columns(made)
    wait_until(lambda: "cents" not in _columns(made), seconds=60, what="the old column goes")
    return receipt


def _held(made: Scene, tally: Tally) -> Figures:
    """Longer than the budget, shorter than the hold: clients wait, and none is turned away."""
    sql = "ALTER TABLE entries ADD COLUMN token uuid NOT NULL DEFAULT gen_random_uuid();"
    sql += " SELECT pg_sleep(1.5)"  # or it is as quick as the machine's disk
    receipt = made.release(made.book.changed("token", sql))
    assert "token" in _columns(made)
    assert tally.slowest > 1.5
    return receipt


def _downtime(made: Scene, tally: Tally) -> Figures:
    """Nobody is served for a moment; what it lost is there again after the rollback."""
    made.release(made.book.changed("note", "ALTER TABLE entries ADD COLUMN note text"))
    made.rows("UPDATE entries SET note = 'note ' || id WHERE id <= 2000 RETURNING id")
    before, serving = made.rows(NOTES), made.prod.serving(made.app)
    dropped = made.book.changed("no_note", "ALTER TABLE entries DROP COLUMN note")
    refused = made.refused(dropped)
    receipt = made.release(dropped, "--now")
    assert "note" not in _columns(made)
    _quiet()
    made.rolled_back()
    assert "--window" in refused.said
    assert made.rows(NOTES) == before
    assert tally.closed > 0
    assert made.prod.serving(made.app) == serving
    return receipt


STORIES = (
    Story(
        "a nullable column",
        _there_and_back("ALTER TABLE entries ADD COLUMN note text", "note", "'n'"),
        "online",
    ),
    Story(
        "a NOT NULL column with a default",
        _there_and_back(
            "ALTER TABLE entries ADD COLUMN kind text NOT NULL DEFAULT 'gift'", "kind", "'fee'"
        ),
        "online",
    ),
    Story(
        "the bridge",  # what Django emits: the outgoing release's inserts leave the column out
        _there_and_back(
            "ALTER TABLE entries ADD COLUMN kind text DEFAULT 'gift' NOT NULL;\n"
            "ALTER TABLE entries ALTER COLUMN kind DROP DEFAULT;",
            "kind",
            "'fee'",
        ),
        "online",
    ),
    Story(
        "an index on a large table",
        _large_index,
        "online",
        rows=LARGE,
        settings={"hold": '"0s"'},  # it would be short enough to be held
    ),
    Story("a rename in two releases", _rename, "online", settings={"warm": '"2s"'}),
    Story("a migration that blocks for two seconds, held", _held, "downtime", rows=LONG),
    Story("downtime, rolled back with preserved data", _downtime, "staged"),
)


def _columns(made: Scene) -> set[str]:
    return {row[0] for row in made.rows(COLUMNS)}


def _quiet() -> None:
    time.sleep(QUIET_SECONDS)
