"""The page that tells what a release does to the database."""

import html
import re
from typing import Any

import pytest

from fake_server import FakeEnvironment
from fake_server.impacts import (
    DOWNTIME,
    EVIL,
    HUGE,
    NONE,
    OLD,
    ONLINE,
    PRESERVED,
    RECORDED,
    STAGED,
    UNASSESSABLE,
    assessed,
    export,
    leaving_out,
    release,
)
from fake_server.scenes import HOSTILE, under_way
from fake_server.visitor import Visitor


@pytest.fixture(autouse=True)
def releases(environment: FakeEnvironment) -> None:
    assessed(environment)


def page(visitor: Visitor, number: int) -> str:
    answer, body = visitor.get(f"/releases/{number}/database")
    assert answer.status == 200
    return body


def text(body: str) -> str:
    """What a person reads, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.mark.parametrize(
    ("release", "said"),
    [
        (NONE, ["Nothing that exists is touched", "longest wait none", "Open, as far as"]),
        (
            ONLINE,
            [
                "The running release goes on working",
                "nobody waits longer than the budget of 1 s",
                "Dayfly keeps a default alive",
                "Bridge standing",
                "ALTER TABLE public.orders ALTER COLUMN priority SET DEFAULT 0;",
                "budget of 1 s: never used up",
            ],
        ),
        (
            STAGED,
            [
                "This takes two releases",
                "the values of orders.note are lost with it",
                "-- Release 1: stop reading and writing it",
                "It would lose: orders.note",
                "1 of them break",
            ],
        ),
        (
            DOWNTIME,
            [
                "This takes downtime",
                "longest wait 55 s",
                "order_lines 5,310,876 writers 20 s SHARE 1",
                "CREATE INDEX CONCURRENTLY lines_article",
                "budget of 1 s used up",
                "No row could be made up on the copy for audit_log",
            ],
        ),
        (UNASSESSABLE, ["it can't be assessed", "ProgrammingError", "way back closed"]),
        (OLD, ["This takes two releases", "nobody can tell"]),
        (
            PRESERVED,
            [
                f"Exported before it was lost: dayfly preserved show {PRESERVED} Table",
                "orders 1,204,332 46 MB",
                "What a rollback makes again Copy ALTER TABLE orders ADD COLUMN note text;",
                "the grants of a role that is gone",
            ],
        ),
        (12, ["Nobody looked"]),
    ],
)
def test_the_page_says_what_a_person_needs(visitor: Visitor, release: int, said: list[str]) -> None:
    told = text(page(visitor, release))
    for words in said:
        assert words in told


@pytest.mark.parametrize("release", [NONE, UNASSESSABLE, OLD])
def test_where_nothing_is_locked_nothing_is_drawn(visitor: Visitor, release: int) -> None:
    assert '<figure class="locks">' not in page(visitor, release)


def test_the_drawing_and_the_table_below_it_say_the_same(visitor: Visitor) -> None:
    body = page(visitor, DOWNTIME)
    drawing, table = body.split('<table class="statements">')
    assert drawing.count('class="held all') + drawing.count('class="held writers') == 6  # two keys
    assert drawing.count('class="beyond"') == 3
    for statement in RECORDED["downtime"]["timeline"][0]["statements"]:
        assert html.escape(statement["statement"], quote=True).replace("&#x27;", "&#39;") in table


def test_what_contract_migrations_took_away_has_a_name_of_its_own(
    visitor: Visitor, environment: FakeEnvironment
) -> None:
    own, later = (export(name, rows=7, size=70) for name in ("23", "23-contract"))
    runs = [{"preserved": None}, {"preserved": later}]
    environment.receipts[STAGED] |= {"preserved": own, "contract": {"runs": runs}}
    environment.happen("preserved", STAGED, **later)
    told = text(page(visitor, STAGED))
    assert told.count("dayfly preserved show 23 ") == 1
    assert told.count("dayfly preserved show 23-contract ") == 1
    assert told.count("orders 7 70 B") == 2


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"course": "held", "held_seconds": 2.9}, "This held requests for 2.90 s"),
        ({"course": "window", "closed_seconds": 12.5}, "This took downtime of 12.5 s"),
        ({"course": "window", "closed_seconds": None}, "This takes downtime"),
    ],
)
def test_what_it_took_is_told_once_it_is_known(
    visitor: Visitor, environment: FakeEnvironment, told: dict[str, object], says: str
) -> None:
    environment.receipts[DOWNTIME] |= told
    assert says in text(page(visitor, DOWNTIME))


def test_an_export_of_before_there_were_figures_of_each_table_names_them(
    visitor: Visitor, environment: FakeEnvironment
) -> None:
    environment.happen("preserved", STAGED, tables=["orders"], rows=7, bytes=70)
    told = text(page(visitor, STAGED))
    assert f"dayfly preserved show {STAGED} Table Rows Size orders — —" in told


def test_what_others_wrote_stays_text(visitor: Visitor) -> None:
    body = page(visitor, EVIL)
    assert "document.title=&#39;owned&#39;" in body
    assert "<script>document" not in body
    assert HOSTILE not in body
    assert '" onload' not in body
    assert not {"\x1b", "\u202e"} & set(body)
    assert " style=" not in body
    assert re.findall(r"<script[^>]*>", body) == re.findall(r'<script src="/static/[^>]*>', body)


def test_five_hundred_findings_are_all_there_and_few_are_open(visitor: Visitor) -> None:
    body = page(visitor, HUGE)
    assert body.count('<details class="finding"') == 500
    assert body.count('<details class="finding" open') == 12
    assert "475 more findings" in text(body)
    assert len(body) < 1_200_000


@pytest.mark.parametrize(
    ("later", "says"),
    [
        ({}, "staged, and they run by themselves"),
        ({"runs": False, "why": "it blocks"}, "staged, and they will be refused: it blocks"),
        ({"runs": None, "findings": [], "why": "the copy is gone"}, "not known: the copy is gone"),
    ],
)
def test_what_is_left_out_is_told_with_what_will_come_of_it(
    visitor: Visitor, environment: FakeEnvironment, later: dict[str, Any], says: str
) -> None:
    release(environment, 30, leaving_out(RECORDED["online"], **later))
    told = text(page(visitor, 30))
    assert "Left out until nothing older runs 0040_drop_total.sql" in told
    assert f"On a copy on which all else has run: {says}." in told
    assert ("drops orders.total" in told) == ("findings" not in later)
    assert "Left out" not in page(visitor, ONLINE)


def test_the_way_to_the_page(visitor: Visitor) -> None:
    overview = visitor.get("/")[1]
    for number, linked in ((NONE, False), (STAGED, True), (DOWNTIME, True), (12, False)):
        assert (f'href="/releases/{number}/database"' in overview) is linked
    told = visitor.get(f"/releases/{STAGED}")[1]
    assert "staged This takes two releases 5 findings, way back: closed" in text(told)
    assert f'href="/releases/{STAGED}/database"' in told
    assert "/releases/12/database" not in visitor.get("/releases/12")[1]


def test_a_release_under_way_is_told_from_its_journal(
    visitor: Visitor, environment: FakeEnvironment
) -> None:
    under_way(environment, 31)
    assert "Not assessed yet" in page(visitor, 31)
    assert "watch , for" in text(page(visitor, 31))
    environment.happen("assessed", 31, **RECORDED["online"])
    told = text(page(visitor, 31))
    assert "The running release goes on working" in told
    assert "Not assessed yet" not in told
    assert f'href="/releases/{31}/database"' in visitor.get("/releases/31")[1]


def test_what_a_release_waits_for_is_the_bridge_that_it_built(
    visitor: Visitor, environment: FakeEnvironment
) -> None:
    environment.happen("bridge.gone", ONLINE)
    assert "Bridge gone" in text(page(visitor, ONLINE))


def test_a_release_that_is_not_there(visitor: Visitor, stranger: Visitor) -> None:
    assert visitor.get("/releases/99/database")[0].status == 404
    assert stranger.get(f"/releases/{STAGED}/database")[0].status == 401
