"""PostgreSQL's own log, read in both of its forms."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.clock import wait_until
from dayfly.database.cluster import new_cluster
from dayfly.database.logged import Entry, from_csv, from_json
from dayfly.database.parameters import filled, values
from dayfly.database.programs import programs
from dayfly.database.scratch import serving

BOTH = {
    "logging_collector": "on",
    "log_destination": "csvlog,jsonlog",
    "log_directory": "log",
    "log_filename": "server.log",
    "log_statement": "all",
    "lc_messages": "C",
}
LAST = "SELECT 'the last one'"


def until_the_last(entries: Iterable[Entry]) -> list[Entry]:
    """The server may write on, to one form sooner than to the other."""
    return list(takewhile(lambda entry: LAST not in entry.message, entries))


def by_session(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Sessions write at the same time, to one form in this order and to the other in that."""
    found = defaultdict[str, list[Entry]](list)
    for entry in entries:
        found[entry.session].append(entry)
    return found


@pytest.mark.postgres
def test_both_forms_tell_the_same(scratch: Path) -> None:
    found = programs(None)
    with new_cluster(scratch, found) as cluster, serving(cluster, found, BOTH) as server:
        url = server.url("postgres")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SELECT 'a\n\"b\", ''c'' ü' -- and\n")
            connection.execute("SELECT %s::text, %s::int", ('it\'s\n"x"', None))
            with pytest.raises(psycopg.Error):
                connection.execute("SELECT 1/0")
            connection.execute(LAST)
        log = cluster.data / "log"
        for form in ("csv", "json"):
            written = log / f"server.{form}"
            wait_until(lambda: LAST in written.read_text(), seconds=10, what=form)  # noqa: B023 - used at once
        entries = until_the_last(from_csv((log / "server.csv").read_text()))
        others = until_the_last(from_json((log / "server.json").read_text()))
        assert by_session(entries) == by_session(others)
    [error] = [entry for entry in entries if entry.severity == "ERROR"]
    assert (error.message, error.query) == ("division by zero", "SELECT 1/0")
    [asked] = [entry for entry in entries if entry.detail]
    assert filled(asked.message, asked.detail).endswith("SELECT 'it''s\n\"x\"'::text, NULL::int")


def test_a_line_that_is_half_written_is_left_for_later() -> None:
    whole = '{"message": "statement: SELECT 1", "error_severity": "LOG"}\n'
    assert list(from_json(whole + '{"mess')) == [Entry(message="statement: SELECT 1")]
    assert list(from_csv("half,a,line")) == []


@pytest.mark.parametrize(
    ("text", "detail", "expected"),
    [
        ("SELECT $1", "", "SELECT $1"),
        ("SELECT $1", "parameters: $1 = '5'", "SELECT '5'"),
        ("SELECT $1, $2", "Parameters: $1 = NULL, $2 = 'a, $3 = ''b'''",
         "SELECT NULL, 'a, $3 = ''b'''"),
        ("SELECT '$1', $$ $1 $$, \"$1\", $1 -- $1", "Parameters: $1 = '5'",
         "SELECT '$1', $$ $1 $$, \"$1\", '5' -- $1"),
        ("SELECT $1 + $10", "Parameters: $1 = '1', $10 = '2'", "SELECT '1' + '2'"),
    ],
)  # fmt: skip
def test_parameters_are_filled_in(text: str, detail: str, expected: str) -> None:
    assert filled(text, detail) == expected


@given(st.lists(st.none() | st.text(), min_size=1, max_size=12))
def test_any_parameters_come_back_as_literals(given_values: list[str | None]) -> None:
    literals = [
        "NULL" if text is None else "'" + text.replace("'", "''") + "'" for text in given_values
    ]
    pairs = [f"${number} = {literal}" for number, literal in enumerate(literals, 1)]
    assert list(values("Parameters: " + ", ".join(pairs)).values()) == literals
