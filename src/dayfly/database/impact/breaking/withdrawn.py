"""Rights that are gone from what still stands under its name."""

from collections.abc import Iterator, Sequence

from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.schema.catalogue import Column, Relation, Routine, Schema
from dayfly.database.impact.schema.names import shown

_SHOWN = 10  # by name

Guarded = Schema | Relation | Column | Routine


def withdrawn(what: Comparison) -> Iterator[tuple[Guarded, Guarded, list[str]]]:
    """Each with what it became, and the rights as "role:PRIVILEGE"."""
    guarded: tuple[Guarded, ...] = (
        *what.before.of(Schema),
        *what.before.of(Relation),
        *what.before.of(Column),
        *what.before.of(Routine),
    )
    for old in guarded:
        now = what.standing(old)
        if now is not None:
            yield old, now, [grant for grant in old.grants if grant not in now.grants]


def unjudged(what: Comparison) -> Iterator[str]:
    """For people: what other roles lose than the one for which rights were judged."""
    if not what.role:
        return
    judged = f"rights are judged for {what.role} only; --app-database names the application's role"
    lost: dict[tuple[str, ...], list[str]] = {}
    hidden: list[str] = []
    for old, now, grants in withdrawn(what):
        others = tuple(each for each in grants if _role(each) not in (what.role, "public"))
        if others:
            lost.setdefault(others, []).append(old.name)
        if isinstance(old, Relation) and isinstance(now, Relation) and _hides(what, old, now):
            hidden.append(shown(what.before, old.oid))
    for others, names in lost.items():
        yield f"takes rights on {_listed(names)} away: {', '.join(others)}; {judged}"
    if hidden:
        yield f"hides rows of {_listed(hidden)} from who is not its owner; {judged}"


def _hides(what: Comparison, old: Relation, now: Relation) -> bool:
    """From others alone: what row security hides from its own role breaks that."""
    own = what.role == now.owner and not now.forced
    return own and now.row_security and not old.row_security


def _role(grant: str) -> str:
    return grant.rpartition(":")[0]


def _listed(names: Sequence[str]) -> str:
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return ", ".join([*names[:_SHOWN], *more])
