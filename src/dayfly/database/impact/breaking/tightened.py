"""Will the outgoing release's writes still be taken? Constraints, triggers, policies, types."""

import re
from collections.abc import Iterator, Sequence

from dayfly.database.impact import adding, remedies
from dayfly.database.impact.breaking.defaults import differs
from dayfly.database.impact.code.triggers import RAISED, bodies, triggers
from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.finding import Finding, breaks
from dayfly.database.impact.schema.catalogue import (
    Constraint,
    Index,
    Policy,
    Relation,
    Rule,
    Type,
)
from dayfly.database.impact.schema.names import quoted, shown
from dayfly.database.impact.words import alternatives, lists, without_literals

DUPLICATE, ORPHAN, CHECKED = "23505", "23503", "23514"
FORBIDDEN, BAD_VALUE, NO_TYPE, NOT_NULL = "42501", "22P02", "42704", "23502"
_STATES = {"c": CHECKED, "f": ORPHAN, "u": DUPLICATE, "p": DUPLICATE, "x": "23P01", "t": RAISED}
_ON_DELETE = re.compile(r" ON (DELETE|UPDATE) (CASCADE|SET NULL|SET DEFAULT|RESTRICT)")
_EXCLUDES = re.compile(r" WITH (\S+?)(?=[,)])")
_LENIENT = ("CASCADE", "SET NULL", "SET DEFAULT")


def tightened(what: Comparison) -> Iterator[Finding]:
    yield from _constraints(what)
    yield from _unique_indexes(what)
    yield from triggers(what)
    yield from bodies(what)
    yield from _policies(what)
    yield from _rules(what)
    yield from _types(what)


def _constraints(what: Comparison) -> Iterator[Finding]:
    for now in what.after.of(Constraint):
        owner = what.former(now.table)
        old = what.before.things.get(now.key) or what.before.named.get(what.after.path(now))
        if owner is None or _known(what, owner, now) or (old is not None and old == now):
            continue
        if isinstance(old, Constraint) and _takes_more(what, old, now):
            continue
        if _spares_old_rows(what, now) or _told_above(what, now):
            continue
        if now.kind in "upx" and _indexed_before(what, now):
            continue
        yield _constraint(what, owner, now)


def _known(what: Comparison, owner: Relation, now: Constraint) -> bool:
    definition = now.definition.removesuffix(" NOT VALID")
    if (what.before.path(owner)[1:], definition) in what.constraints_before:
        return True
    if now.kind == "f":
        return any(old.refuses_as(now) for old in what.before.of(Constraint, owner.oid))
    if now.kind != "c":
        return False
    required = {
        f"CHECK (({quoted(column.name)} IS NOT NULL))"
        for column in what.before.columns(owner.oid, now.columns)
        if column.not_null
    }
    return definition in required


def _spares_old_rows(what: Comparison, now: Constraint) -> bool:
    """Whether inserts that do not know its new columns pass."""
    if now.kind in "ufx" and _leaves_null(what, now.table, now.columns, now.definition):
        return True
    new = what.new_columns(now.table, now.columns)
    if new is None or now.key in what.refusing:
        return False
    if now.kind == "f":
        proven = now.valid and what.has_rows(now.table)  # each of them got the default
        return proven or now.key in what.parented
    return now.kind not in "upx" or any(
        differs(column.default) or column.identity for column in new
    )


def _leaves_null(what: Comparison, table: int, columns: tuple[int, ...], definition: str) -> bool:
    """A new column that stays NULL: neither unique nor foreign keys look at such rows."""
    if re.search("NULLS NOT DISTINCT|MATCH FULL", definition):
        return False
    return any(
        what.is_new(column) and not column.not_null and not column.default
        for column in what.after.columns(table, columns)
    )


def _looser(old: str, new: str) -> bool:
    """A list or an OR that only grew, or a reference that refuses less when its row goes."""
    bare = old.removesuffix(" NOT VALID"), new.removesuffix(" NOT VALID")
    if new.startswith("CHECK (") and alternatives(bare[0]) <= alternatives(bare[1]):
        return True
    before, after = _ON_DELETE.sub("", old), _ON_DELETE.sub("", new)
    if before == after and "REFERENCES" in new:
        asked = _ON_DELETE.findall(old)
        told = _ON_DELETE.findall(new)
        return all(action in _LENIENT for _, action in told) and len(told) >= len(asked)
    same = without_literals(old) == without_literals(new)
    plain = re.sub("IS NOT NULL| NOT VALID$", "", old)
    listed = "= ANY (" in old and "<>" not in old and "NOT " not in plain
    return same and listed and _each_grown(lists(old), lists(new))


def _each_grown(old: Sequence[frozenset[str]], new: Sequence[frozenset[str]]) -> bool:
    return len(old) == len(new) and all(had <= has for had, has in zip(old, new, strict=True))


def _takes_more(what: Comparison, old: Constraint, now: Constraint) -> bool:
    return _looser(old.definition, now.definition) and not _empties_required(what, old, now)


def _empties_required(what: Comparison, old: Constraint, now: Constraint) -> bool:
    """A row that goes takes NULL along to columns that refuse it."""
    nulls = "SET NULL" in now.definition and "SET NULL" not in old.definition
    return nulls and any(each.not_null for each in what.after.columns(now.table, now.columns))


def _patience(definition: str) -> int:
    """How long duplicates are borne: never, if somebody asks for it, till the transaction ends."""
    return ("DEFERRABLE" in definition) + ("INITIALLY DEFERRED" in definition)


def _indexed_before(what: Comparison, now: Constraint) -> bool:
    """A unique index on these columns, or some of them, refused duplicates already."""
    owner = what.former(now.table)
    nulls = "NULLS NOT DISTINCT"
    if any(operator != "=" for operator in _EXCLUDES.findall(now.definition)):
        return False
    late = {
        old.index for old in what.before.of(Constraint)
        if _patience(old.definition) > _patience(now.definition)
    }  # fmt: skip
    return owner is not None and any(
        index.refuses_duplicates
        and index.oid not in late
        and set(index.columns) <= {*now.columns}
        and (nulls in index.definition or nulls not in now.definition)
        for index in what.before.of(Index, owner.oid)
    )


def _constraint(what: Comparison, owner: Relation, now: Constraint) -> Finding:
    message = f"{shown(what.before, owner.oid)} refuses what it took before: {now.definition}"
    remedy = remedies.CONTRACT
    if now.kind != "t":
        safe = adding.constraint(what.before, what.after, now)
        remedy = f"-- Release 1: write only what passes. Release 2:\n{safe}"
    return breaks(owner.oid, message, _STATES.get(now.kind, CHECKED), remedy, now)


def _told_above(what: Comparison, now: Constraint | Index) -> bool:
    """With a table that was there before, of which this one has it."""
    came = adding.inherited(what.before, what.after, now)
    return came and any(map(what.former, adding.owners(what.after, now)))


def _unique_indexes(what: Comparison) -> Iterator[Finding]:
    backing = {constraint.index for constraint in what.after.of(Constraint)}
    for index in what.after.of(Index):
        owner = what.former(index.table)  # an index made again keeps its name, not its key
        if owner is None or index.key in what.before.things:
            continue
        if not index.unique or index.oid in backing or not index.valid:
            continue
        if _told_above(what, index):
            continue
        if _leaves_null(what, index.table, index.columns, index.definition):
            continue
        wider = Constraint(
            oid=0, name=index.name, table=index.table, kind="u", valid=True,
            definition=index.definition,
            columns=index.columns,
        )  # fmt: skip
        same = any(old.definition == index.definition for old in what.before.of(Index, owner.oid))
        if same or _indexed_before(what, wider):
            continue
        message = f"{what.before.shown(owner.oid)} refuses duplicates: {index.definition}"
        columns = what.after.columns(index.table, index.columns)
        names = [quoted(column.name) for column in columns] if 0 not in index.columns else []
        safe = adding.index(what.before, what.after, index)
        remedy = remedies.unique_index(safe, shown(what.before, owner.oid), names)
        yield breaks(owner.oid, message, DUPLICATE, remedy, index)


def _policies(what: Comparison) -> Iterator[Finding]:
    for old in what.before.of(Policy):
        owner = what.before.relation(old.table)
        if owner and owner.row_security and what.standing(old) != old:
            if what.after.relation(old.table) is None:
                continue
            message = f"changes which rows of {what.before.shown(old.table)} are seen: {old.name}"
            yield breaks(old.table, message, FORBIDDEN, remedies.CONTRACT, old)
    for policy, owner in what.added(Policy):
        if owner.row_security and not policy.permissive:
            message = f"the policy {policy.name} hides rows of {what.before.shown(owner.oid)}"
            yield breaks(owner.oid, message, FORBIDDEN, remedies.CONTRACT, policy)


def _rules(what: Comparison) -> Iterator[Finding]:
    added = [rule for rule, _ in what.added(Rule)]
    changed = [old for old in what.before.of(Rule) if what.standing(old) != old]
    for rule in (*added, *changed):
        message = f"the rule {rule.name} rewrites what statements do"
        yield breaks(rule.table, message, "", remedies.CONTRACT, rule)


def _types(what: Comparison) -> Iterator[Finding]:
    for old in what.before.of(Type):
        now = what.standing(old)
        if now is None:
            message = f"drops or renames the type {old.name}"
            yield breaks(0, message, NO_TYPE, remedies.CONTRACT, old)
            continue
        lost = [label for label in old.labels if label not in now.labels]
        if lost:
            message = f"the type {old.name} no longer knows {', '.join(map(repr, lost))}"
            yield breaks(0, message, BAD_VALUE, remedies.CONTRACT, old, now)
        if old.default and old.default != now.default:
            message = f"the domain {old.name} no longer fills in {old.default}"
            yield breaks(0, message, NOT_NULL, remedies.CONTRACT, old, now)
        if old.attributes != now.attributes:
            message = f"the type {old.name} consists of {', '.join(now.attributes)}"
            yield breaks(0, message, BAD_VALUE, remedies.CONTRACT, old, now)
        new = [check for check in now.checks if check not in old.checks]
        if new:
            message = f"the domain {old.name} refuses what it took before: {'; '.join(new)}"
            yield breaks(0, message, CHECKED, remedies.CONTRACT, old, now)
