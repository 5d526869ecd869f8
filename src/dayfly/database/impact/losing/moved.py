"""Rows that one statement takes out of a partition and puts into another of the same table."""

from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.replay.effects import Effect, Observed
from dayfly.database.impact.schema.catalogue import Catalogue, Column, Relation, Trigger
from dayfly.database.impact.words import plain, tokens


def moved(what: Comparison, observed: Observed, effect: Effect, table: int) -> bool:
    """Whether all that it deletes is there again, for whoever reads the table with its partitions.

    Out of the default partition, as a rule, which holds what a new partition is to take.
    """
    at_begin, at = _around(observed, effect)
    whole = at_begin.relation(table)
    source, target = at.relation(table), _named(at, _target(effect.statement.text))
    if not (whole and whole.parent and source and target) or source.name != _source(effect):
        return False
    now = what.after.relation(target.oid)
    stays = now is not None and whole.parent in (now.oid, now.parent)
    refused = any(each.table in (target.oid, whole.parent) for each in at.of(Trigger))
    return stays and not refused and _columns(at, source.oid) == _columns(at, target.oid)


def _around(observed: Observed, effect: Effect) -> tuple[Catalogue, Catalogue]:
    """At the beginning of its transaction, and before the statement."""
    before = observed.before
    for transaction in observed.transactions:
        at_begin = before
        for step in transaction:
            if step.effect is effect:
                return at_begin, before
            before = step.after
    return observed.before, observed.before


def _source(effect: Effect) -> str:
    words = list(tokens(effect.statement.text))[6:]
    words = words[1:] if words[:1] == ["ONLY"] else words
    return plain(words[2] if words[1:2] == ["."] else words[0])


def _target(text: str) -> tuple[str, ...]:
    """Of WITH x AS (DELETE FROM … RETURNING *) INSERT INTO … SELECT * FROM x, and of that alone."""
    words = [word for word in tokens(text) if word != ";"]
    begin, end = words[:6], [")", "INSERT", "INTO"]
    if begin[:1] + begin[2:] != ["WITH", "AS", "(", "DELETE", "FROM"]:
        return ()
    close = _closing(words)
    if words[close - 2 : close + 3] != ["RETURNING", "*", *end]:
        return ()
    rest, called = words[close + 3 :], begin[1]
    if rest[-4:] != ["SELECT", "*", "FROM", called] or set(words[6:close]) & {"SELECT", "USING"}:
        return ()
    name = tuple(plain(word) for word in rest[:-4] if word != ".")
    return name if len(rest) - 4 == 2 * len(name) - 1 else ()


def _closing(words: list[str]) -> int:
    depth = 0
    for place, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if word == ")" and depth == 0:
            return place
    return -1


def _named(catalogue: Catalogue, name: tuple[str, ...]) -> Relation | None:
    """None also where there are several of that name."""
    found = [
        each
        for each in catalogue.of(Relation)
        if name and each.kind in "rp" and (each.schema, each.name)[-len(name) :] == name
    ]
    return found[0] if len(found) == 1 else None


def _columns(catalogue: Catalogue, table: int) -> list[str]:
    """In order: `*` has no other names for them."""
    found = sorted(catalogue.of(Column, table), key=lambda each: each.number)
    return [each.name for each in found]
