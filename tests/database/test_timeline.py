"""Which statement takes which lock, and for how long it is held."""

from dataclasses import replace
from typing import Any

import pytest

from copies import Copies, migration
from dayfly.database.captured import Statement
from dayfly.database.impact.assess import assess
from dayfly.database.impact.blocking.timeline import LETTERS, STATEMENTS, Timeline, timeline
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.replay.effects import Effect, Observed, Step, Written
from dayfly.database.impact.schema.catalogue import Catalogue, Relation
from dayfly.database.scratch import ScratchServer

ORDERS, BOOKS, PARTS, PART = 1, 2, 3, 4
BEFORE = Catalogue(
    {
        thing.key: thing
        for oid, name, parent in (
            (ORDERS, "orders", 0),
            (BOOKS, "alembic_version", 0),
            (PARTS, "visits", 0),
            (PART, "visits_1", PARTS),
        )
        for thing in [
            Relation(
                oid=oid, name=name, parent=parent, schema="public", kind="r", owner="o", grants=()
            )
        ]
    }
)
AX, RX, S = "AccessExclusive", "RowExclusive", "Share"


def told(*transactions: list[Effect], rows: int | None = 1_000_000) -> list[dict[str, Any]]:
    found: Any = seen(*transactions, rows=rows).as_json()["timeline"]
    return list(found)


def seen(*transactions: list[Effect], rows: int | None = 1_000_000) -> Timeline:
    steps = tuple(tuple(Step(effect=e, after=BEFORE) for e in each) for each in transactions)
    counted = {} if rows is None else {"orders": rows, "visits_1": rows}
    what = Comparison(before=BEFORE, after=BEFORE, counted=counted)
    observed = Observed(before=BEFORE, rows={ORDERS: 3}, transactions=steps)
    return timeline(what, observed, 1.0)


def effect(text: str, **seen: Any) -> Effect:  # noqa: ANN401 - any field of an Effect
    return Effect(statement=Statement(text=text, migration="0002"), **seen)


def locks(entry: dict[str, Any]) -> list[list[tuple[str, str, str]]]:
    return [
        [(lock["table"], lock["lock"], lock["blocks"]) for lock in statement["locks"]]
        for statement in entry["statements"]
    ]


ADD = effect("ALTER TABLE orders ADD x int", locks={ORDERS: AX}, seconds=0.002)
INDEX = effect("CREATE INDEX i ON orders (x)", locks={ORDERS: S}, scanned=frozenset({ORDERS}))
FILL = effect(
    "UPDATE orders SET x = 1",
    locks={ORDERS: RX},
    written={ORDERS: Written(updated=3)},
    updates=frozenset({ORDERS}),
    targets={ORDERS: ("x",)},
)
ALL = ("orders", "ACCESS EXCLUSIVE", "readers and writers")


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        ([ADD], [[ALL]]),
        ([INDEX], [[("orders", "SHARE", "writers")]]),
        ([FILL], [[("orders", "ROW EXCLUSIVE", "writers of the same rows")]]),
        ([INDEX, ADD], [[("orders", "SHARE", "writers")], [ALL]]),
        ([ADD, effect("UPDATE orders SET x = 1", written=FILL.written)], [[ALL], []]),
        (
            [
                effect("INSERT INTO orders VALUES (1)", locks={ORDERS: RX}),
                effect("UPDATE orders SET x = 1", written=FILL.written),
            ],
            [
                [("orders", "ROW EXCLUSIVE", "")],
                [("orders", "ROW EXCLUSIVE", "writers of the same rows")],
            ],
        ),
        ([effect("CREATE TABLE n (id int)")], [[]]),
        ([effect("SELECT 1", locks={ORDERS: "AccessShare"}), ADD], [[ALL]]),
        ([effect("UPDATE alembic_version SET version_num = 'b'", locks={BOOKS: RX}), ADD], [[ALL]]),
        (
            [effect("DROP TABLE visits_1", locks={PART: AX})],
            [[("visits", *ALL[1:]), ("visits_1", *ALL[1:])]],
        ),
    ],
)
def test_locks_are_told_with_the_statement_that_takes_them(
    effects: list[Effect], expected: list[list[tuple[str, str, str]]]
) -> None:
    [entry] = told(effects)
    assert locks(entry) == expected


def test_time_is_that_of_productions_rows() -> None:
    [entry] = told([ADD, INDEX])
    assert [statement["ms"] for statement in entry["statements"]] == [2.0, 2500.0]
    [unknown] = told([ADD, INDEX], rows=None)
    assert [statement["ms"] for statement in unknown["statements"]] == [2.0, None]


@pytest.mark.parametrize(
    ("effects", "rows", "more"),
    [
        ([ADD], 1_000_000, 0.0),
        ([INDEX], 1_000_000, 2500.0),
        ([INDEX, INDEX], 1_000_000, 5000.0),
        ([replace(ADD, seconds=1.5), INDEX], 1_000_000, 2500.0),  # the copy took those 1.5 s too
        ([ADD], None, 0.0),
        ([ADD, INDEX], None, None),
    ],
)
def test_rows_add_to_what_the_copy_took(
    effects: list[Effect], rows: int | None, more: float | None
) -> None:
    assert seen(effects, rows=rows).more_ms == more


def test_what_only_looks_is_told_when_it_takes_long() -> None:
    slow = effect("SELECT count(*) FROM orders", read=frozenset({ORDERS}))
    quick = effect("SELECT 1")
    [entry] = told([quick, slow], [quick])
    assert [statement["statement"] for statement in entry["statements"]] == [slow.statement.text]


def test_a_long_migration_is_counted_to_its_end() -> None:
    many = [effect("ALTER TABLE orders ADD x int", locks={ORDERS: AX}) for _ in range(150)]
    *shown, last = told(many, many)
    assert [len(entry["statements"]) for entry in shown] == [150, STATEMENTS - 150]
    assert last == {"statements": [], "more": 300 - STATEMENTS}
    assert all("more" not in entry for entry in told(many[:STATEMENTS]))


def test_a_long_statement_is_shortened() -> None:
    [entry] = told([effect(f"INSERT INTO orders VALUES ('{'x' * 5000}')")])
    assert len(entry["statements"][0]["statement"]) == LETTERS + 1


@pytest.mark.postgres
def test_on_a_real_server(elsewhere: ScratchServer) -> None:
    schema = (
        "CREATE TABLE orders (id int PRIMARY KEY, note text)",
        "CREATE TABLE lines (id int PRIMARY KEY, order_id int)",
        "INSERT INTO orders VALUES (1, 'a'), (2, NULL)",
    )
    done = [
        migration(
            "ALTER TABLE orders ADD state text",
            "UPDATE orders SET state = 'open'",
            "CREATE INDEX by_state ON orders (state)",
            "ALTER TABLE lines ADD CONSTRAINT f FOREIGN KEY (order_id) REFERENCES orders (id)",
        ),
        migration("CREATE INDEX CONCURRENTLY by_order ON lines (order_id)", alone=True),
    ]
    with Copies.of(elsewhere, schema).fresh() as url:
        found = assess(url, done, rows={"orders": 1000, "lines": 1_000_000}, budget=1.0).as_json()
    first, second = found["timeline"]  # type: ignore[misc]
    assert locks(first) == [[ALL], [], [], [("lines", "SHARE ROW EXCLUSIVE", "writers")]]
    assert locks(second) == [[("lines", "SHARE UPDATE EXCLUSIVE", "")]]
    assert second["statements"][0]["ms"] > 2000
    assert found["budget"] == 1.0
    key = first["statements"][3]
    assert 400 < key["ms"] < 2000


@pytest.mark.postgres
def test_a_lock_that_makes_nobody_wait_says_so_beside_one_that_does(
    elsewhere: ScratchServer,
) -> None:
    done = [
        migration("ALTER TABLE orders ADD COLUMN note text"),
        migration("CREATE INDEX CONCURRENTLY by_id ON orders (id)", alone=True),
    ]
    with Copies.of(elsewhere, ["CREATE TABLE orders (id int)"]).fresh() as url:
        found = assess(url, done, rows={"orders": 10}, budget=1.0).findings
    told = {finding.message: finding.blocks for finding in found}
    assert told == {
        "ACCESS EXCLUSIVE on orders makes readers and writers wait a moment": "readers and writers",
        "SHARE UPDATE EXCLUSIVE on orders makes nobody wait": "",
    }
