"""PostgreSQL 12 to 17: a sample of what is measured, and one question from end to end, on each.

The campaign of that name runs all of it.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from copies import Copies
from measured import CASES, OPERATIONS, on, operation_comes_out_as_measured, verdict_is_right
from measured.remedied import REMEDIED, SCHEMA, advice_ends_as_the_change
from migrating import asked, write
from versions import VERSIONS, Running, answered, running

pytestmark = pytest.mark.postgres

SAMPLE = 4  # of operations, of verdicts, and of what is advised


@pytest.fixture(scope="module", params=VERSIONS)
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    with running(request.param) as found:
        yield found


def test_operations_come_out_as_on_15(server: Running) -> None:
    copies = Copies.of(server.server, ())
    for row in random.Random(server.version).sample(on(server.version, OPERATIONS), SAMPLE):
        operation_comes_out_as_measured(copies, row)


def test_verdicts_are_those_of_15(server: Running) -> None:
    copies = Copies.of(server.server, ())
    known = on(server.version, CASES, icu=False)
    for case in random.Random(server.version).sample(known, SAMPLE):
        verdict_is_right(copies, case)


def test_what_is_advised_ends_as_the_change_does(server: Running) -> None:
    copies = Copies.of(server.server, SCHEMA)
    for case in random.Random(server.version).sample(on(server.version, REMEDIED), SAMPLE):
        advice_ends_as_the_change(copies, server.programs, case)


def test_what_a_migration_executes_is_read_from_its_log(server: Running, tmp_path: Path) -> None:
    with server.server.database() as url:
        asked(url, b"CREATE TABLE orders (id serial PRIMARY KEY, note text)")
        write(tmp_path, {"1_note.sql": "ALTER TABLE orders DROP COLUMN note;"})
        answer = answered(server, url, tmp_path)
    assert (answer.impact.verdict, answer.pending) == ("staged", ("1_note.sql",))
    assert answer.impact.findings[0].statement == "ALTER TABLE orders DROP COLUMN note"
