"""Searches that got a name are there for everyone who may enter."""

import re
from html import unescape

import pytest

from asked import Server
from dayfly.console import Sessions
from fake_server import FakeEnvironment
from fake_server.lines import ATTACKS
from fake_server.visitor import Visitor


def seal_of(visitor: Visitor) -> str:
    found = re.search(r'name="seal" value="([0-9a-f]+)"', visitor.get("/logs")[1])
    assert found
    return found[1]


@pytest.fixture
def colleague(address: str, sessions: Sessions) -> Visitor:
    value = sessions.enter(sessions.code())
    return Visitor(address, {"Cookie": f"{sessions.cookie}={value}"})


def test_a_search_is_kept_for_everyone(visitor: Visitor, colleague: Visitor, store: Server) -> None:
    told = {"query": "level:error", "since": "7d", "until": ""}
    answer, _ = visitor.post("/logs/saved", seal=seal_of(visitor), name=" the  errors ", **told)
    assert answer.status == 303
    assert answer.headers["Location"] == "/logs?query=level%3Aerror&since=7d"

    body = unescape(colleague.get("/logs")[1])
    assert '<a href="/logs?query=level%3Aerror&since=7d">the errors</a>' in body

    colleague.post("/logs/saved", seal=seal_of(colleague), forget="the errors", query="x")
    assert "the errors" not in visitor.get("/logs")[1]


def test_one_of_the_same_name_is_replaced(visitor: Visitor, store: Server) -> None:
    for query in ("a", "b"):
        visitor.post("/logs/saved", seal=seal_of(visitor), name="mine", query=query)

    body = visitor.get("/logs")[1]
    assert "Saved searches (1)" in body
    assert "<code>b</code>" in body


def test_no_other_page_can_save_one(
    visitor: Visitor, colleague: Visitor, stranger: Visitor, store: Server
) -> None:
    seal = seal_of(visitor)
    assert visitor.post("/logs/saved", name="x", query="a")[0].status == 403
    assert visitor.post("/logs/saved", seal="0" * 64, name="x", query="a")[0].status == 403
    assert colleague.post("/logs/saved", seal=seal, name="x", query="a")[0].status == 403
    assert stranger.post("/logs/saved", seal=seal, name="x", query="a")[0].status == 401
    assert visitor.post("/logs/saved", seal=seal, name="x" * 200_000)[0].status == 403
    assert visitor.get("/logs/saved")[0].status == 405
    assert "<code>a</code>" not in visitor.get("/logs")[1]


@pytest.mark.parametrize("name", ["", "  ", "x" * 61])
def test_a_name_is_short_and_there(visitor: Visitor, store: Server, name: str) -> None:
    answer, body = visitor.post("/logs/saved", seal=seal_of(visitor), name=name, query="a")
    assert answer.status == 400
    assert "allowed are 1 to 60" in body


def test_a_hundred_are_enough(
    visitor: Visitor, store: Server, environment: FakeEnvironment
) -> None:
    many = ",".join(f'{{"name":"{n}","query":"","since":"","until":""}}' for n in range(100))
    environment.saved.write_text(f"[{many}]")
    answer, body = visitor.post("/logs/saved", seal=seal_of(visitor), name="one more")
    assert answer.status == 400
    assert "There are 100 saved searches" in body
    assert visitor.post("/logs/saved", seal=seal_of(visitor), name="7")[0].status == 303


def test_a_damaged_file_is_named_and_the_logs_go_on(
    visitor: Visitor, store: Server, environment: FakeEnvironment
) -> None:
    environment.saved.write_text('[{"name": 1}]')
    body = visitor.get("/logs")[1]
    assert "searches.json: Expected `str`, got `int`" in body
    assert "Nothing was found" in body


def test_what_a_search_says_stays_text(visitor: Visitor, store: Server) -> None:
    for n, attack in enumerate(ATTACKS):
        told = {"name": f"{n} {attack}"[:60], "query": attack, "since": attack, "until": attack}
        visitor.post("/logs/saved", seal=seal_of(visitor), **told)
    body = visitor.get("/logs")[1]

    bare = re.sub(r'<script src="/static/[a-z]+\.js"></script>', "", body)
    assert f"Saved searches ({len(ATTACKS)})" in body
    assert not re.search(r"<(script|img|svg/|h1>owned|b>|a href='|/textarea)", bare)
    assert not {"\x1b", "\u202e", "\x00"} & set(body)
