"""Rows that a query finds only by way of rows of another table: nothing else is asked of them."""

import re
from collections.abc import Callable

from dayfly.database.impact.replay.pairing import Named, Node

_ASIDE = ("SubPlan", "InitPlan")
_CONDITIONS = ("Index Cond", "Recheck Cond", "TID Cond")
_CONSTANT = re.compile(r"'|(?<![\w$.\"])-?\d|\btrue\b|\bfalse\b|\$\d")


def needed(plan: Node) -> frozenset[Named]:
    """Tables each of which makes a plan answer with no row where it has none."""
    sides = [
        needed(child)
        for child in plan.get("Plans", ())
        if child.get("Parent Relationship") not in _ASIDE
    ]
    if "Relation Name" in plan:
        found = frozenset({(str(plan.get("Schema", "public")), str(plan["Relation Name"]))})
        return found if plan["Node Type"] != "ModifyTable" else frozenset()
    return _kept(plan, sides) if sides else frozenset()


def _kept(plan: Node, sides: list[frozenset[Named]]) -> frozenset[Named]:
    both: Callable[..., frozenset[Named]] = frozenset.union
    match plan.get("Join Type"):
        case "Inner" | "Semi":
            return both(*sides)
        case "Left" | "Anti":
            return sides[0]
        case "Right":
            return sides[1]
    return frozenset.intersection(*sides)  # of a full join or a union each side has rows alone


def unasked(node: Node) -> bool:
    """Whether it takes rows as the join leads to them, with no condition of its own."""
    conditions = " ".join(str(node.get(name, "")) for name in _CONDITIONS)
    return "Filter" not in node and _CONSTANT.search(conditions) is None
