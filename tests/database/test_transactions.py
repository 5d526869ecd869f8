"""From entries of the log to committed transactions, as rows of data."""

from collections.abc import Sequence
from itertools import dropwhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.database.logged import Entry
from dayfly.database.statements import QUIET, Known
from dayfly.database.transactions import transactions

KNOWN = Known(relations=frozenset({"orders"}), harmless=QUIET | {"now", "version"})
FAILED = "!"  # what fails in the row before


def log(*texts: str, session: str = "s") -> list[Entry]:
    """The entries that the server writes: a new number for each transaction."""
    entries: list[Entry] = []
    number, block = 1, False
    for text in texts:
        if text == FAILED:
            last = entries[-1]
            entries.append(
                Entry(
                    session=session,
                    transaction=last.transaction,
                    severity="ERROR",
                    message="no",
                    query=last.message.removeprefix("statement: "),
                )
            )
            continue
        entries.append(
            Entry(session=session, transaction=f"{session}/{number}", message=f"statement: {text}")
        )
        words = text.upper().split()
        block = words[-1] == "CHAIN" or (
            words[0] == "BEGIN" or (block and words[0] not in {"COMMIT", "END"}
            and not (words[0] == "ROLLBACK" and "TO" not in words))
        )  # fmt: skip
        number += not block or words[-1] == "CHAIN"
    return entries


def found(entries: Sequence[Entry]) -> list[tuple[str, ...]]:
    """Each transaction's statements; one that is a block begins with `*`."""
    return [
        ("*" * one.block, *(statement.text for statement in one.statements))
        for one in transactions(entries, KNOWN)
    ]


ROWS: list[tuple[str, list[str], list[tuple[str, ...]]]] = [
    ("alone", ["INSERT a", "DELETE b"], [("", "INSERT a"), ("", "DELETE b")]),
    ("a block", ["BEGIN", "INSERT a", "DELETE b", "COMMIT"], [("*", "INSERT a", "DELETE b")]),
    ("a block of one", ["BEGIN", "INSERT a", "END"], [("*", "INSERT a")]),
    ("an empty block", ["BEGIN", "COMMIT"], []),
    ("given up", ["BEGIN", "INSERT a", "ROLLBACK", "DELETE b"], [("", "DELETE b")]),
    ("left open", ["DELETE b", "BEGIN", "INSERT a"], [("", "DELETE b")]),
    ("chained", ["BEGIN", "INSERT a", "COMMIT AND CHAIN", "DELETE b", "COMMIT"],
     [("*", "INSERT a"), ("*", "DELETE b")]),
    ("several in one text", ["INSERT a; DELETE b"], [("*", "INSERT a", "DELETE b")]),
    ("a block in one text", ["INSERT a; BEGIN; DELETE b; COMMIT; INSERT c"],
     [("*", "INSERT a", "DELETE b"), ("", "INSERT c")]),
    ("alone and failed", ["INSERT a", FAILED, "DELETE b"], [("", "DELETE b")]),
    ("several and failed", ["INSERT a; DELETE b", FAILED, "INSERT c"], [("", "INSERT c")]),
    ("a block that failed", ["BEGIN", "INSERT a", FAILED, "COMMIT"], []),
    ("committing failed", ["BEGIN", "INSERT a", "COMMIT", FAILED, "DELETE b"], [("", "DELETE b")]),
    ("back to a savepoint",
     ["BEGIN", "INSERT a", "SAVEPOINT s", "DELETE b", FAILED, "ROLLBACK TO SAVEPOINT s",
      "INSERT c", "COMMIT"], [("*", "INSERT a", "INSERT c")]),
    ("back to the outer savepoint",
     ["BEGIN", "SAVEPOINT a", "INSERT a", "SAVEPOINT b", "INSERT b", "ROLLBACK TO a", "INSERT c",
      "COMMIT"], [("*", "INSERT c")]),
    ("a savepoint kept",
     ["BEGIN", 'SAVEPOINT "S"', "INSERT a", 'RELEASE SAVEPOINT "S"', "COMMIT"],
     [("*", "INSERT a")]),
    ("the same name twice",
     ["BEGIN", "SAVEPOINT s", "INSERT a", "SAVEPOINT s", "INSERT b", "ROLLBACK TO s", "RELEASE s",
      "COMMIT"], [("*", "INSERT a")]),
    ("CONCURRENTLY", ["CREATE INDEX CONCURRENTLY i ON t (a)"],
     [("", "CREATE INDEX CONCURRENTLY i ON t (a)")]),
    ("a body with semicolons", ["DO $$ BEGIN x; y; END $$"], [("", "DO $$ BEGIN x; y; END $$")]),
    ("the tool's own",
     ["SELECT 1", "SET timezone = 'UTC'", "SHOW server_version", "SELECT version()",
      "SELECT pg_advisory_lock(1)"], []),
    ("what is set is told where it matters",
     ["SET ROLE a", "SELECT 1", "SET ROLE a", "BEGIN", "SET search_path = s", "COMMIT", "BEGIN",
      "INSERT a", "SET LOCAL x = 1", "COMMIT", "SET ROLE a", "SET search_path = s", "DELETE b",
      "RESET ROLE", "VACUUM", "SET ROLE a"],
     [("*", "SET ROLE a", "SET search_path = s", "INSERT a"), ("", "DELETE b"),
      ("", "RESET ROLE"), ("", "VACUUM")]),
    ("what only takes time, under the locks of before",
     ["BEGIN", "INSERT a", "SELECT pg_sleep(4)", "COMMIT"],
     [("*", "INSERT a", "SELECT pg_sleep(4)")]),
    ("what it may not leave out",
     ["SELECT ship()", "SELECT 1 INTO t", "SELECT id FROM orders", "SET search_path = shop",
      "WITH d AS (DELETE FROM x RETURNING 1) SELECT 1", "EXPLAIN ANALYZE DELETE FROM x",
      "SET ROLE owner", "LOCK TABLE x"],
     [("", "SELECT ship()"), ("", "SELECT 1 INTO t"), ("", "SELECT id FROM orders"),
      ("", "SET search_path = shop"), ("", "WITH d AS (DELETE FROM x RETURNING 1) SELECT 1"),
      ("", "EXPLAIN ANALYZE DELETE FROM x"), ("", "SET ROLE owner"), ("", "LOCK TABLE x")]),
]  # fmt: skip


@pytest.mark.parametrize(("texts", "expected"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_what_was_committed(texts: list[str], expected: list[tuple[str, ...]]) -> None:
    assert found(log(*texts)) == expected


def test_an_error_of_a_later_transaction_of_the_same_statement() -> None:
    """CREATE INDEX CONCURRENTLY commits on its way; what fails then bears another number."""
    text = "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)"
    failing = Entry(session="s", transaction="s/4", severity="ERROR", query=text)
    assert found([*log(text), failing]) == []


def test_an_error_of_what_was_never_executed() -> None:
    """A text that cannot be parsed comes without an entry of its own."""
    failing = Entry(session="s", transaction="s/2", severity="ERROR", query="SELEC 1")
    assert found([*log("INSERT a"), failing]) == [("", "INSERT a")]


def test_pipelined_statements_are_one_transaction() -> None:
    executed = [
        Entry(session="s", transaction="s/1", message=f"execute <unnamed>: {text}")
        for text in ("INSERT a", "DELETE b")
    ]
    assert found(executed) == [("*", "INSERT a", "DELETE b")]


def test_sessions_come_in_the_order_of_their_commits() -> None:
    first, second = log("BEGIN", "INSERT a", "COMMIT"), log("DELETE b", session="t")
    assert found([*first[:2], *second, *first[2:]]) == [("", "DELETE b"), ("*", "INSERT a")]


_STEPS = st.sampled_from(
    ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a", "ROLLBACK TO a", "RELEASE a", FAILED]
)


@given(st.lists(_STEPS | st.integers(0, 99).map(lambda n: f"INSERT {n}"), max_size=40))
def test_no_write_is_invented_and_none_that_stood_alone_is_lost(steps: list[str]) -> None:
    texts = list(dropwhile(lambda step: step == FAILED, steps))
    entries = log(*texts)
    committed = [text for row in found(entries) for text in row[1:]]
    executed = [text for text in texts if text.startswith("INSERT")]
    rest = iter(executed)
    assert all(text in rest for text in committed), "in the order in which they were executed"
    if not any(text in {"BEGIN", FAILED} for text in texts):
        assert committed == executed


def test_before_a_tool_has_looked_into_its_books_no_migration_runs() -> None:
    """Only what the session reads that looks into them may be the app's start."""
    rows, looks = "SELECT id FROM orders", "SELECT version_num FROM alembic_version"
    entries = [*log(rows, session="other"), *log(rows, looks, "DELETE orders", rows)]
    assert [
        (one.statements[0].text, one.early, one.reads) for one in transactions(entries, KNOWN)
    ] == [
        (rows, True, False),
        (rows, True, True),
        ("DELETE orders", False, False),
        (rows, False, True),
    ]


@pytest.mark.parametrize(
    "text", ["SELECT ship(id) FROM orders", "SELECT id FROM orders FOR UPDATE", "SET ROLE owner"]
)
def test_what_is_more_than_reading(text: str) -> None:
    entries = log("SELECT version_num FROM alembic_version", text, "VACUUM")
    assert not any(one.reads for one in transactions(entries, KNOWN))
