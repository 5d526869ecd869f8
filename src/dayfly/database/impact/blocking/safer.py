"""What to write instead of a statement that holds its lock while it goes through a table."""

from dayfly.database.impact import remedies
from dayfly.database.impact.replay.effects import Effect, Observed
from dayfly.database.impact.schema.catalogue import Catalogue, Column, Constraint, Thing
from dayfly.database.impact.schema.names import quoted, shown


def safer(observed: Observed, effect: Effect) -> str:
    """From what the statement changed; empty when there is no better form."""
    before, after = observed.around(effect)
    found: list[str] = []
    for key, now in after.things.items():
        old = before.things.get(key)
        if now != old and before.relation(now.table) is not None:
            remedy = _instead(after, old, now)
            if remedy and remedy not in found:
                found.append(remedy)
    return "\n".join(found)


def _instead(after: Catalogue, old: Thing | None, now: Thing) -> str:
    table, name = shown(after, now.table), quoted(now.name)
    if isinstance(now, Constraint):
        if now.kind in "cf":
            return remedies.constraint(table, name, now.definition)
        if now.kind in "up":
            word = "UNIQUE" if now.kind == "u" else "PRIMARY KEY"
            columns = now.definition[now.definition.index("(") :]
            return remedies.unique(table, name, columns, word)
    if isinstance(now, Column) and isinstance(old, Column):
        if now.type != old.type:
            return remedies.retype(table, name, now.type)
        if now.not_null and not old.not_null:
            return remedies.not_null(table, name)
    if isinstance(now, Column) and old is None and now.default:
        return remedies.volatile_default(table, name, now.type, now.default)
    return ""
