"""Joins of which neither side has one row for each value: what they find grows with both."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dayfly.database.impact.schema.catalogue import Catalogue, Relation
from dayfly.database.impact.schema.names import unquoted

Node = Mapping[str, Any]

_NAME = r'(?:\w+|"(?:[^"]|"")+")'
_COLUMN = re.compile(rf"\(*({_NAME})\.({_NAME})\)*(?:::[\w ]+)?\)*")
_ONCE = ("Semi", "Anti", "Right Semi", "Right Anti")
_GROUPED = ("Aggregate", "Unique", "Group", "Limit")
_PASSED_ON = ("Hash", "Sort", "Incremental Sort", "Materialize", "Subquery Scan")


@dataclass(frozen=True, kw_only=True)
class Join:
    """Each row of one table meets those of the other that have the same values in columns."""

    one: int
    other: int
    columns: frozenset[tuple[int, str]]  # that are compared as they are


def joins(node: Node, catalogue: Catalogue) -> Iterator[Join]:
    for child in node.get("Plans", ()):
        yield from joins(child, catalogue)
    condition = node.get("Hash Cond") or node.get("Merge Cond")
    if not condition or node.get("Join Type") in _ONCE:
        return
    sides = [c for c in node["Plans"] if c.get("Parent Relationship") in ("Outer", "Inner")]
    compared = _compared(condition)
    found = [_side(side, compared, catalogue) for side in sides]
    if any(map(_grouped, sides)) or not all(found):
        return
    if not any(catalogue.is_unique(oid, names) for side in found for oid, names in side.items()):
        named = [max(side, key=lambda oid: len(side[oid])) for side in found]
        columns = ((oid, name) for side in found for oid in side for name in side[oid])
        yield Join(one=named[0], other=named[1], columns=frozenset(columns))


def _compared(condition: str) -> set[tuple[str, str]]:
    """Aliases and columns that are compared without being changed."""
    parts = (part for each in condition.split(" AND ") for part in each.split(" = "))
    found = (_COLUMN.fullmatch(part) for part in parts)
    return {(unquoted(one[1]), unquoted(one[2])) for one in found if one}


def _side(node: Node, compared: set[tuple[str, str]], catalogue: Catalogue) -> dict[int, set[str]]:
    """The tables of one side, with their columns that are compared."""
    found: dict[int, set[str]] = {}
    if "Relation Name" in node:
        path = ("Relation", node.get("Schema", "public"), node["Relation Name"])
        relation = catalogue.named.get(path)
        if isinstance(relation, Relation):
            found[relation.oid] = {name for alias, name in compared if alias == node["Alias"]}
    for child in node.get("Plans", ()):
        if child.get("Parent Relationship") not in ("SubPlan", "InitPlan"):
            for oid, names in _side(child, compared, catalogue).items():
                found[oid] = found.get(oid, set()) | names
    return found


def _grouped(node: Node) -> bool:
    """A side that has few rows, or one for each value."""
    while node["Node Type"] in _PASSED_ON:
        [node] = [c for c in node["Plans"] if c.get("Parent Relationship") in ("Outer", "Subquery")]
    return node["Node Type"] in _GROUPED
