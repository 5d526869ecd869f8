"""What PostgreSQL's planner says about a statement that reads or writes rows."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from dayfly.database.impact.replay.joining import Join, joins
from dayfly.database.impact.replay.linked import needed, unasked
from dayfly.database.impact.replay.pairing import Node, loops, pairs
from dayfly.database.impact.schema.catalogue import Catalogue, Index, Relation
from dayfly.database.impact.words import first_word, mentions, set_columns, tokens

PLANNED = ("SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH")
_CONSTANT = re.compile(r"""= (?:ANY \()?(?:'(?:[^']|'')*'|-?\d+(?:\.\d+)?)""")


@dataclass(frozen=True, kw_only=True)
class Plan:
    targets: Mapping[int, tuple[str, ...]] = field(default_factory=dict)  # columns; () is unknown
    updates: frozenset[int] = frozenset()
    deletes: frozenset[int] = frozenset()
    read: frozenset[int] = frozenset()
    constant: bool = False  # touches the same rows whatever the size of the tables
    lookup: bool = False  # reads single rows by their keys, and writes none
    follows: frozenset[int] = frozenset()  # finds only what rows of these lead to
    ends: frozenset[int] = frozenset()  # reads one row at an end of an index, for max() or min()
    pairs: frozenset[tuple[int, int]] = frozenset()  # for each row of this, all of that
    joins: frozenset[Join] = frozenset()  # of which neither side is unique


def planned(connection: psycopg.Connection[Any], text: str, catalogue: Catalogue) -> Plan:
    """EXPLAIN it in a savepoint of the open transaction; an empty plan where that is impossible."""
    written = first_word(text) in (*PLANNED, "EXECUTE")
    query = text if written else _filling(text, catalogue)
    if not query:
        return Plan()
    connection.execute("SAVEPOINT dayfly_plan")
    try:
        plans = _explained(connection, query)
        found = read_plan(plans, text, catalogue) if written else Plan()
        if any(map(loops, plans)):  # for lack of rows, or of any other way
            connection.execute("SET LOCAL enable_nestloop = off")
            plans = _explained(connection, query)
    except psycopg.Error:
        return Plan()
    finally:
        connection.execute("ROLLBACK TO SAVEPOINT dayfly_plan")  # with the locks it took
        connection.execute("RELEASE SAVEPOINT dayfly_plan")
    single = _single(plans, catalogue)
    joined = {join for plan in plans for join in joins(plan, catalogue)}
    return replace(
        found,
        pairs=_pairs(plans, single, catalogue),
        joins=frozenset(join for join in joined if not {join.one, join.other} & single),
    )


def _filling(text: str, catalogue: Catalogue) -> str:
    """The query whose rows a new table or a materialized view is filled with, to be explained."""
    words = list(tokens(text.rstrip("; \n")))
    if words[-2:] == ["NO", "DATA"]:
        return ""
    if words[:1] == ["CREATE"] and {"TABLE", "MATERIALIZED"} & set(words[:4]) and "AS" in words:
        return text
    views = (each for each in catalogue.of(Relation) if each.kind == "m")
    named = (each.definition for each in views if mentions(text, each.name))
    return next(named, "") if words[:1] == ["REFRESH"] else ""


def _explained(connection: psycopg.Connection[Any], text: str) -> list[Node]:
    explain = b"EXPLAIN (FORMAT JSON, VERBOSE) " + text.encode()
    row = connection.execute(explain, prepare=False).fetchone()
    return [each["Plan"] for each in row[0] if "Plan" in each] if row else []


def _single(plans: Sequence[Node], catalogue: Catalogue) -> frozenset[int]:
    """Tables of which a key finds one row."""
    nodes = [node for plan in plans for node in _nodes(plan)]
    return frozenset(_relation(node, catalogue) for node in nodes if _by_key(node, catalogue))


def _pairs(
    plans: Sequence[Node], single: frozenset[int], catalogue: Catalogue
) -> frozenset[tuple[int, int]]:
    named = {pair for plan in plans for pair in pairs(plan)}
    found = ((_named(one, catalogue), _named(other, catalogue)) for one, other in named)
    return frozenset(pair for pair in found if pair[0] not in single)


def read_plan(roots: Sequence[Node], text: str, catalogue: Catalogue) -> Plan:
    """A rule makes several plans of one statement."""
    nodes = [node for root in roots for node in _nodes(root)]
    writes = [node for node in nodes if node["Node Type"] == "ModifyTable"]
    reads = [node for node in nodes if node not in writes]
    columns = set_columns(text) if len(writes) == 1 else ()  # WITH may write more than one
    targets = {oid: columns for node in writes if (oid := _relation(node, catalogue))}
    deletes = frozenset(
        _relation(node, catalogue) for node in writes if node["Operation"] in ("Delete", "Merge")
    )
    updates = frozenset(
        _relation(node, catalogue)
        for node in writes
        if "Update" in (node["Operation"], node.get("Conflict Resolution", "").capitalize())
        or node["Operation"] == "Merge"
    )
    read = frozenset(filter(None, (_relation(node, catalogue) for node in reads)))
    tables = [_by_key(node, catalogue) for node in reads if "Relation Name" in node]
    return Plan(
        targets=targets,
        updates=updates,
        deletes=deletes,
        read=read,
        constant=bool(writes) and all(tables),
        lookup=not writes and bool(tables) and all(tables),
        follows=_follows(roots, reads, catalogue),
        ends=_ends(reads, text, catalogue),
    )


def _follows(roots: Sequence[Node], reads: Sequence[Node], catalogue: Catalogue) -> frozenset[int]:
    """And nothing else is asked of the rows of the others."""
    if len(roots) != 1:
        return frozenset()
    found = frozenset(_named(name, catalogue) for name in needed(roots[0])) - {0}
    others = (node for node in reads if _relation(node, catalogue) not in found)
    return found if all(map(unasked, others)) else frozenset()


def _ends(reads: Sequence[Node], text: str, catalogue: Catalogue) -> frozenset[int]:
    """Without a LIMIT in the text it is PostgreSQL's own, for max() or min() of an index."""
    if {"LIMIT", "FETCH"} & set(tokens(text)):
        return frozenset()
    limited = [each for node in reads if node["Node Type"] == "Limit" for each in node["Plans"]]
    ending = [each for each in limited if _of_index(each) and "Filter" not in each]
    scans = [node for node in reads if "Relation Name" in node]
    others = {_relation(node, catalogue) for node in scans if node not in ending}
    return frozenset(_relation(node, catalogue) for node in ending) - others


def _of_index(node: Node) -> bool:
    return node["Node Type"] in ("Index Scan", "Index Only Scan")


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _relation(node: Node, catalogue: Catalogue) -> int:
    if "Relation Name" not in node:
        return 0
    return _named((node.get("Schema", "public"), node["Relation Name"]), catalogue)


def _named(name: tuple[str, str], catalogue: Catalogue) -> int:
    found = catalogue.named.get(("Relation", *name))
    return found.oid if isinstance(found, Relation) else 0


def _by_key(node: Node, catalogue: Catalogue) -> bool:
    name = ("Index", node.get("Schema"), node.get("Relation Name"), node.get("Index Name"))
    index = catalogue.named.get(tuple(map(str, name)))
    if not isinstance(index, Index) or not index.unique:
        return False
    return len(_CONSTANT.findall(node.get("Index Cond", ""))) >= len(index.columns)
