"""What of triggers and functions could not be tried on the copy, and why."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import psycopg

from dayfly.database.connection import said
from dayfly.database.impact.evidence.callable import Called, Firing, reaches

LEAVES = "it leaves the database, or its transaction"
NO_ROW = "no row of it could be made up"
Doing = tuple[str, ...]  # what is done, and to what: schema, name, arguments


@dataclass(frozen=True, kw_only=True)
class Untried:
    """What may be concerned, and could not be tried on the old schema: nothing is known of it."""

    doing: Doing
    shown: str
    why: str
    called: bool  # production is known to run it
    texts: tuple[str, ...]


def routines_left(
    routines: Iterable[Called],
    left: frozenset[int],
    found: Mapping[Doing, psycopg.Error | None],
    called: Collection[int],
) -> Iterator[Untried]:
    for one in routines:
        error = found.get(one.doing)
        why = one.why_not or (LEAVES if one.oid in left else "")
        why = why or (f"it fails on made-up values: {said(error)}" if error else "")
        if why and not one.is_fired:
            yield Untried(
                doing=one.doing,
                shown=one.shown,
                why=why,
                called=one.oid in called,
                texts=(one.body,),
            )


def tables_left(
    tables: Iterable[Firing],
    left: frozenset[int],
    found: Mapping[Doing, psycopg.Error | None],
    routines: Collection[Called],
) -> Iterator[Untried]:
    for one in tables:
        tried = {d[0]: error for d, error in found.items() if d[1:] == (one.schema, one.name)}
        if any(error is None for error in tried.values()):
            continue
        errors = [said(error) for error in tried.values() if error]
        why = LEAVES if leaves(one, left) else "; ".join(errors[:1] or [NO_ROW])
        bodies = tuple(each.body for each in routines if each.oid in one.routines)
        doing = ("fire", one.schema, one.name)
        shown = f"the triggers of {one.name}"
        yield Untried(doing=doing, shown=shown, why=why, called=True, texts=bodies)


def leaves(table: Firing, left: Collection[int]) -> bool:
    """Functions of an extension are known by their names only."""
    return not {*table.routines}.isdisjoint(left) or any(map(reaches, table.functions))
