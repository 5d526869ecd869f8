"""Tables of which a statement reads one wholly for each row of another: that grows with both."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]
Named = tuple[str, str]  # schema and relation

_SCANS = ("Seq Scan", "Index Scan", "Index Only Scan", "Foreign Scan", "Tid Scan")
_APART = ("SubPlan", "InitPlan")


def loops(node: Node) -> bool:
    """Whether a join goes through its second side for each row of the first."""
    return node["Node Type"] == "Nested Loop" or any(map(loops, _children(node)))


def pairs(node: Node) -> Iterator[tuple[Named, Named]]:
    """Of a plan: (for each row of this, all of that)."""
    hashed = set(re.findall(r"hashed (SubPlan \d+)", " ".join(map(str, node.values()))))
    for child in _children(node):
        yield from pairs(child)
        if (
            child.get("Parent Relationship") == "SubPlan"
            and child.get("Subplan Name") not in hashed
        ):
            yield from _each(_relations(node), child)
    if node["Node Type"] == "Nested Loop":
        sides = [c for c in _children(node) if c.get("Parent Relationship") in ("Outer", "Inner")]
        yield from _each(_relations(sides[0]), sides[1])


def _each(outer: Iterator[Named], inner: Node) -> Iterator[tuple[Named, Named]]:
    scanned = list(_whole(inner))
    for one in outer:
        yield from ((one, other) for other in scanned)


def _children(node: Node) -> Iterator[Node]:
    yield from node.get("Plans", ())


def _relations(node: Node) -> Iterator[Named]:
    """That give the rows of a node, without those it works out values from."""
    if "Relation Name" in node and node["Node Type"] != "ModifyTable":
        yield node.get("Schema", "public"), node["Relation Name"]
    for child in _children(node):
        if child.get("Parent Relationship") not in _APART:
            yield from _relations(child)


def _whole(node: Node) -> Iterator[Named]:
    """Read without an index that finds the rows, and not once for all: what is hashed is."""
    if node["Node Type"] in _SCANS and "Index Cond" not in node and "TID Cond" not in node:
        yield node.get("Schema", "public"), node["Relation Name"]
    for child in _children(node):
        if child.get("Parent Relationship") not in _APART:
            yield from _whole(child)
