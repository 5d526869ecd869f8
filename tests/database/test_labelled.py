"""A sample of the real migrations labelled by hand; the campaign of that name runs all."""

import random
from collections import Counter
from pathlib import Path

import pytest

from campaigns.labelled import LEAST, TOOLS, Case, answer, cases
from campaigns.programs import Program, answered, programs
from copies import Copies
from dayfly.database.impact.finding import VERDICTS
from dayfly.database.scratch import ScratchServer

CASES = cases()
SAMPLE = random.Random(1).sample(CASES, 40)
PROGRAMS = programs()


def test_there_are_enough_of_each_tool_under_names_of_their_own() -> None:
    assert len(CASES) >= LEAST
    assert {case.tool for case in CASES} == set(TOOLS)
    assert not [name for name, n in Counter(case.name for case in CASES).items() if n > 1]
    assert not [origin for origin, n in Counter(case.origin for case in CASES).items() if n > 1]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_label_has_its_reason_and_origin(case: Case) -> None:
    assert case.label in VERDICTS
    assert case.why.endswith(".")
    assert len(case.origin.split(maxsplit=1)) == 2
    assert case.origin.count("/") >= 1
    assert case.transactions
    assert not case.loses or case.label not in ("none", "online")
    assert case.loses or case.label != "staged"


@pytest.mark.postgres
def test_nothing_that_breaks_or_loses_is_called_harmless(elsewhere: ScratchServer) -> None:
    copies = Copies.of(elsewhere, ())
    answers = [answer(copies, case) for case in SAMPLE]

    missed = [each.case.name for each in answers if each.missed]
    assert missed == []


@pytest.mark.parametrize("case", PROGRAMS, ids=lambda case: case.name)
def test_a_program_has_its_label_reason_and_origin(case: Program) -> None:
    assert case.label in VERDICTS
    assert case.why.endswith(".")
    assert case.origin.startswith("made up: ") or "/" in case.origin.split()[0]
    assert case.tool in ("django", "alembic")
    assert not case.loses or case.label not in ("none", "online")


@pytest.mark.postgres
@pytest.mark.parametrize("case", random.Random(1).sample(PROGRAMS, 16), ids=lambda case: case.name)
def test_a_data_migration_in_python_is_judged_as_a_person_does(
    elsewhere: ScratchServer, scratch: Path, case: Program
) -> None:
    found = answered(elsewhere, scratch, case)
    assert found.verdict == case.label, found.findings
