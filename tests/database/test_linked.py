"""Which tables must have rows, or a query finds none in any other."""

import pytest

from dayfly.database.impact.replay.linked import needed, unasked
from dayfly.database.impact.replay.pairing import Node

ITEM: Node = {"Node Type": "Index Scan", "Schema": "public", "Relation Name": "item"}
LINK: Node = {"Node Type": "Seq Scan", "Schema": "public", "Relation Name": "link"}


def join(kind: str, *sides: Node) -> Node:
    return {"Node Type": "Hash Join", "Join Type": kind, "Plans": [*sides]}


def above(word: str, *below: Node) -> Node:
    return {"Node Type": word, "Plans": [*below]}


@pytest.mark.parametrize(
    ("plan", "tables"),
    [
        (LINK, {"link"}),
        (join("Inner", ITEM, LINK), {"item", "link"}),
        (join("Inner", ITEM, above("Hash", LINK)), {"item", "link"}),
        (join("Semi", ITEM, LINK), {"item", "link"}),
        (join("Left", ITEM, LINK), {"item"}),
        (join("Anti", ITEM, LINK), {"item"}),
        (join("Right", ITEM, LINK), {"link"}),
        (join("Right Anti", ITEM, LINK), set()),
        (join("Full", ITEM, LINK), set()),
        (above("Append", ITEM, LINK), set()),
        (above("Limit", join("Inner", ITEM, LINK)), {"item", "link"}),
        (above("Result", ITEM, {**LINK, "Parent Relationship": "InitPlan"}), {"item"}),
        (above("Result", {**LINK, "Parent Relationship": "SubPlan"}), set()),
        ({"Node Type": "Result"}, set()),
    ],
)
def test_without_which_tables_it_finds_nothing(plan: Node, tables: set[str]) -> None:
    assert {name for _, name in needed(plan)} == tables


@pytest.mark.parametrize(
    ("more", "answer"),
    [
        ({}, True),
        ({"Index Cond": "(item.id = link.item_id)"}, True),
        ({"Index Cond": "(t1.id = link.t1_id)"}, True),
        ({"Index Cond": "(item.id = 1)"}, False),
        ({"Index Cond": "((item.id = link.item_id) AND (item.kind = 'old'::text))"}, False),
        ({"Filter": "(item.kind = link.kind)"}, False),
    ],
)
def test_whether_anything_is_asked_of_its_own_rows(more: Node, answer: bool) -> None:
    assert unasked({**ITEM, **more}) == answer
