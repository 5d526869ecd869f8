"""What the outgoing release misses only between two transactions of a migration."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

from dayfly.database.impact.breaking.arbiters import arbiters
from dayfly.database.impact.breaking.breaking import breaking
from dayfly.database.impact.breaking.denied import Right, denials
from dayfly.database.impact.breaking.tightened import tightened
from dayfly.database.impact.code.routines import routines
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import STAGED, Finding
from dayfly.database.impact.replay.effects import Observed
from dayfly.database.impact.schema.catalogue import Catalogue, Path
from dayfly.database.impact.sequences.sequences import counting

TOGETHER = "-- In one transaction, so that nobody sees the state between."


def between(
    what: Comparison, observed: Observed, withheld: Sequence[frozenset[Right]] = ()
) -> Iterator[Finding]:
    """What breaks after one transaction, and does not any more at the end.

    `withheld`: what the outgoing release may not do with new relations, after each of them.
    """
    passing = list(_passing(what, observed, withheld))
    at_the_end = [*_judged(what)] if passing else []
    told = {finding.keys for finding in at_the_end}
    lasting = {(f.relation, f.sqlstate) for f in at_the_end if f.verdict == STAGED and f.relation}
    for state, denied in passing:
        for finding in _judged(replace(what, after=state, denied=denied)):
            known = finding.keys in told or (finding.relation, finding.sqlstate) in lasting
            if finding.verdict == STAGED and not known:
                told.add(finding.keys)
                message = f"for a moment between two transactions: {finding.message}"
                yield replace(finding, message=message, remedy=TOGETHER)


def _judged(what: Comparison) -> Iterator[Finding]:
    for rule in (breaking, tightened, arbiters, routines, counting, denials):
        yield from rule(what)


def _passing(
    what: Comparison, observed: Observed, withheld: Sequence[frozenset[Right]]
) -> Iterator[tuple[Catalogue, frozenset[Right]]]:
    """States in which something that was there is neither as it was nor as it will be."""
    earlier: Catalogue = what.before
    for transaction, denied in zip_longest(observed.transactions[:-1], withheld[:-1]):
        state = transaction[-1].after
        fresh = state is not earlier and state is not what.after and _passes(what, state)
        if fresh or not (denied or frozenset()) <= what.denied:
            yield state, denied or frozenset()
        earlier = state


def _passes(what: Comparison, state: Catalogue) -> bool:
    lasting = what.after.things
    if any(
        thing != lasting.get(key) and what.before.things.get(key) != thing
        for key, thing in state.things.items()
    ):
        return True
    gone = what.before.named.keys() - state.named.keys()
    again = {_called(path) for path in what.after.named}
    return any(_called(path) in again for path in gone)


def _called(path: Path) -> Path:
    """A function may come back with more arguments."""
    return path[:3] if path[0] == "Routine" else path
