"""New tables whose every row one program has put there by itself, one by one."""

from collections.abc import Collection

from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.losing.carried import Carried
from dayfly.database.impact.replay.effects import Effect
from dayfly.database.impact.schema.catalogue import Relation


def filled_by(
    what: Comparison, migration: str, seen: Collection[tuple[str, Effect, Carried]]
) -> frozenset[int]:
    """Of all that the release makes. `seen` is the whole of it, with the migration of each effect.

    Rows that come from others, by a query or by code, were never decided on in the program.
    """
    program = what.sender.programs.get(migration)
    if program is None or not program.whole or any(along.unknown for _, _, along in seen):
        return frozenset()
    coded = {write.table for _, _, along in seen for write in along.writes}
    poured = {
        oid
        for name, effect, _ in seen
        if name != migration or not effect.constant
        for oid in effect.wrote
    }
    return frozenset(
        new.oid
        for new in what.after.of(Relation)
        if what.before.relation(new.oid) is None
        and new.kind == "r"
        and new.oid not in poured
        and new.name not in coded
    )
