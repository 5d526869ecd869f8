"""What functions answer the outgoing release: as before, or otherwise."""

from collections.abc import Iterator

from dayfly.database.impact import remedies
from dayfly.database.impact.code.calling import callers
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import Finding, breaks
from dayfly.database.impact.schema.catalogue import (
    Column,
    Constraint,
    Index,
    Policy,
    Routine,
    Thing,
)
from dayfly.database.impact.words import mentions

UNDEFINED, AMBIGUOUS, CHECKED = "42883", "42725", "23514"
FORBIDDEN, RETYPED = "42501", "42804"
_SORTS = (
    ("smallint", "integer", "bigint", "numeric", "real", "double precision"),
    ("text", "character varying", "character"),
    ("timestamp without time zone", "timestamp with time zone", "date"),
)


def routines(what: Comparison) -> Iterator[Finding]:
    for old in what.before.of(Routine):
        now = what.standing(old)
        if now is None and not any(_stands_in(what, old, new) for new in what.after.of(Routine)):
            message = f"drops or renames the function {_shown(old)}"
            yield breaks(0, message, UNDEFINED, remedies.CONTRACT, old)
        elif now is not None:
            for message, state in _differences(old, now):
                yield breaks(0, f"{_shown(old)} {message}", state, remedies.CONTRACT, old, now)
            for by in callers(what.before, old) if now.body != old.body else ():
                yield from _used(what, old, now, by)
                yield from _indexed(what, old, now, by)
    for new in what.after.of(Routine):
        if what.is_new(new):
            yield from _ambiguous(what, new)


def _shown(routine: Routine) -> str:
    return f"{routine.name}({routine.arguments})"


def _stands_in(what: Comparison, old: Routine, new: Routine) -> bool:
    """Whether each call of one that is gone means this one, which takes more arguments."""
    arguments = zip(old.arguments.split(", "), new.arguments.split(", "), strict=False)
    return (
        what.is_new(new)
        and (old.schema, old.name) == (new.schema, new.name)
        and new.takes[0] <= old.takes[0] <= old.takes[1] <= new.takes[1]
        and all(now == was or now.endswith(f" {was}") for was, now in arguments)
        and {*old.grants} <= {*new.grants}
        and not any(_differences(old, new))
    )


def _differences(old: Routine, now: Routine) -> Iterator[tuple[str, str]]:
    if now.result != old.result:
        yield f"returns {now.result}, not {old.result}", RETYPED
    if now.strict and not old.strict:
        yield "answers NULL as soon as it is given one", ""
    if old.definer and not now.definer:
        yield "loses the rights of its owner", FORBIDDEN
    if now.takes[0] > old.takes[0]:
        yield f"needs {now.takes[0]} arguments, not {old.takes[0]}", UNDEFINED


def _by(old: Routine, by: Routine) -> str:
    return "" if by.oid == old.oid else f" by way of {_shown(by)}"


def _used(what: Comparison, old: Routine, now: Routine, by: Routine) -> Iterator[Finding]:
    """Its body decides which rows are taken or seen, or that of a function that calls it."""
    using: tuple[Constraint | Policy | Column, ...] = (
        *what.after.of(Constraint),
        *what.after.of(Policy),
        *what.after.of(Column),
    )
    for thing in using:
        owner = what.former(thing.table)
        text = thing.expression if isinstance(thing, Column) else thing.definition
        if owner and not what.is_new(thing) and _calls(what, thing, text, by):
            message = (
                f"{_shown(old)} has another body, on which {thing.name} of {owner.name} depends"
                f"{_by(old, by)}"
            )
            yield breaks(owner.oid, message, CHECKED, remedies.CONTRACT, old, now)


def _indexed(what: Comparison, old: Routine, now: Routine, by: Routine) -> Iterator[Finding]:
    """What an index keeps of old rows was worked out by the old body."""
    for index in what.after.of(Index):
        owner = what.former(index.table)
        stale = owner is not None and not what.is_new(index) and what.has_rows(owner.oid)
        if owner and stale and _calls(what, index, index.definition, by):
            message = (
                f"{_shown(old)} has another body, and the index {index.name} of {owner.name} "
                f"keeps what the old one answered{_by(old, by)}: look-ups miss rows"
            )
            message += ", and duplicates are not refused" if index.unique else ""
            remedy = remedies.another_function(index.definition)
            yield breaks(owner.oid, message, "", remedy, old, now)


def _calls(what: Comparison, thing: Thing, text: str, old: Routine) -> bool:
    return mentions(text, old.name) and _meant(what, thing, old)


def _meant(what: Comparison, thing: Thing, old: Routine) -> bool:
    """It, and no other function of that name."""
    if what.uses is None or thing.key not in what.before.things:
        return True
    return old.oid in what.uses.get(thing.key, frozenset())


def _alike(old: Routine, new: Routine) -> bool:
    """Whether a value without a type of its own, or of a third one, fits both as well."""
    pairs = zip(old.arguments.split(", "), new.arguments.split(", "), strict=False)
    return all(_sort(one) == _sort(other) for one, other in pairs)


def _sort(argument: str) -> str:
    """Of its type: a name may stand before it."""
    for types in _SORTS:
        if any(argument == each or argument.endswith(f" {each}") for each in types):
            return types[0]
    return argument.rpartition(" ")[2]


def _ambiguous(what: Comparison, new: Routine) -> Iterator[Finding]:
    """Calls of an old function that the new one could answer as well."""
    for old in what.before.of(Routine):
        same = (old.schema, old.name) == (new.schema, new.name) and what.standing(old) is not None
        least, most = (max(new.takes[0], old.takes[0]), min(new.takes[1], old.takes[1]))
        if same and least <= most and (new.takes != old.takes or _alike(old, new)):
            message = f"calls of {_shown(old)} can mean {_shown(new)} as well, and fail"
            yield breaks(0, message, AMBIGUOUS, remedies.CONTRACT, new)
