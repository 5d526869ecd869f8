"""The page of the language: every query in it is asked."""

import json
import re
from pathlib import Path

import pytest

from dayfly.logs.query.instants import span
from dayfly.logs.query.meaning import ATTRIBUTES, matches
from dayfly.logs.query.parse import parse
from dayfly.logs.query.problem import QueryError
from dayfly.logs.record import Record

PAGE = Path(__file__).parents[2] / "docs/reference/logs-query.md"
_CELL = re.compile(r"(?<!\\)\|")
_CODE = re.compile(r"`((?:[^`])+)`")
OTHER = Record(time=0, message="nothing of it", app="web", level="info", release=7)


def rows(heading: str) -> list[list[str]]:
    section = PAGE.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [
        [cell.strip().replace("\\|", "|") for cell in _CELL.split(line)[1:-1]] for line in lines[2:]
    ]


CASES = [
    (query, found) for queries, _, found in rows("Conditions") for query in _CODE.findall(queries)
]
PIPES = [query for queries, _ in rows("Pipes") for query in _CODE.findall(queries)]


def record(cell: str) -> Record:
    told = json.loads(cell.strip("`"))
    moment = span(told.pop("time", "1970-01-01"))
    assert moment
    attributes = {name: told.pop(name) for name in list(told) if name in ATTRIBUTES}
    return Record(**{"time": moment[0], "message": "", "fields": told} | attributes)


@pytest.mark.parametrize(("query", "found"), CASES)
def test_a_query_of_the_page_finds_its_record(query: str, found: str) -> None:
    assert matches(parse(query).where, record(found))


@pytest.mark.parametrize("query", [query for query, _ in CASES if query not in ("*", "NOT a b")])
def test_a_query_of_the_page_does_not_find_everything(query: str) -> None:
    assert not matches(parse(query).where, OTHER)


@pytest.mark.parametrize("query", PIPES)
def test_a_pipe_of_the_page_is_one(query: str) -> None:
    assert len(parse(query).pipes) == 1


def test_the_first_query_of_the_page_is_one() -> None:
    assert parse(PAGE.read_text().split("```\n")[1]).pipes


def test_the_error_of_the_page_is_what_a_person_sees() -> None:
    shown = PAGE.read_text().split("```\n")[3]
    with pytest.raises(QueryError) as refused:
        parse(shown.splitlines()[1])

    assert refused.value.message == shown.rstrip("\n")
