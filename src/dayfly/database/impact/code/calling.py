"""Which functions call which, and what a body does with all that it calls.

PostgreSQL notes down what a body says in SQL of the standard (BEGIN ATOMIC), and defaults of
arguments. Of a body that is a string only the text tells, and that a name: where several functions
share it, each may be meant.
"""

from collections.abc import Iterator

from dayfly.database.impact.code.bodies import Body, read_body, together
from dayfly.database.impact.schema.catalogue import Catalogue, Routine
from dayfly.database.impact.words import mentions


def with_called(catalogue: Catalogue, own: Body) -> Body:
    """Of a statement, with the functions of the database that it calls."""
    named = (each for each in catalogue.of(Routine) if each.name in own.calls)
    return together([whole(catalogue, each) for each in named], own)


def whole(catalogue: Catalogue, routine: Routine, seen: frozenset[int] = frozenset()) -> Body:
    """With the functions of the database that it calls."""
    own = read_body(routine.body, routine.language)
    seen |= {routine.oid}
    called = [each for each in catalogue.of(Routine) if each.oid not in seen]
    return together([whole(catalogue, r, seen) for r in called if _calls(routine, own, r)], own)


def _calls(routine: Routine, own: Body, other: Routine) -> bool:
    named = other.name in own.calls and not routine.parsed
    return named or other.oid in routine.calls


def callers(catalogue: Catalogue, called: Routine) -> Iterator[Routine]:
    """It, and all that call it, or one of these: also by what they put together, or hide."""
    bodies = {each.oid: read_body(each.body, each.language) for each in catalogue.of(Routine)}
    found, waiting = {called.oid}, [called]
    while waiting:
        one = waiting.pop()
        yield one
        for other in catalogue.of(Routine):
            if other.oid not in found and _may_call(other, bodies[other.oid], one):
                found.add(other.oid)
                waiting.append(other)


def _may_call(routine: Routine, own: Body, other: Routine) -> bool:
    if _calls(routine, own, other):
        return True
    dark = () if routine.parsed else (*own.unread, *own.hidden)
    return any(mentions(text, other.name) for text in dark)
