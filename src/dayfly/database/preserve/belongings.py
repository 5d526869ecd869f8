"""SQL for what belongs to tables: constraints, indexes, triggers, rules, policies."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from dayfly.database.impact.schema.catalogue import (
    Catalogue,
    Constraint,
    Index,
    Policy,
    Relation,
    Rule,
    Thing,
    Trigger,
)
from dayfly.database.impact.schema.names import quoted
from dayfly.database.preserve.entries import Entries
from dayfly.database.preserve.pairing import Pairing, full, in_sql

_ORDER = "puxcf"  # keys first, since foreign keys lean on them
ENABLED = {"O": "ENABLE", "D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}
Kind = TypeVar("Kind", Constraint, Index, Trigger, Rule, Policy)


@dataclass(frozen=True)
class Belongings:
    pairing: Pairing
    entries: Entries
    anew: frozenset[int] = frozenset()  # views of before that are made again

    # -- under the names of now

    def dropped(self) -> Iterator[str]:
        now = self.pairing.now
        for policy in self._only_now(Policy):
            yield f"DROP POLICY {quoted(policy.name)} ON {in_sql(now, policy.table)}"
        for trigger in self._only_now(Trigger):
            yield f"DROP TRIGGER {quoted(trigger.name)} ON {in_sql(now, trigger.table)}"
        for rule in self._only_now(Rule):
            yield f"DROP RULE {quoted(rule.name)} ON {in_sql(now, rule.table)}"
        constraints = [c for c in self._only_now(Constraint) if c.kind in _ORDER]
        for constraint in sorted(constraints, key=lambda c: -_ORDER.index(c.kind)):
            table = in_sql(now, constraint.table)
            yield f"ALTER TABLE {table} DROP CONSTRAINT {quoted(constraint.name)}"
        for index in self._only_now(Index):
            if index.oid not in _of_constraints(now):
                schema = self._schema(now, index.table)
                yield f"DROP INDEX {schema}.{quoted(index.name)}"

    def _only_now(self, kind: type[Kind]) -> Iterator[Kind]:
        """On what stays; foreign keys of new tables too, since these may lean on each other."""
        matched = {new.key for new in self._matched(kind).values()}
        for thing in self.pairing.now.of(kind):
            owner = self.pairing.now.relation(thing.table)
            if owner is None or owner.bound or thing.key in matched:
                continue
            old = self.pairing.former.get(thing.table)
            foreign = isinstance(thing, Constraint) and thing.kind == "f"
            if (old is not None and old not in self.anew) or (old is None and foreign):
                yield thing

    # -- under the names of before

    def renamed(self) -> Iterator[str]:
        for old, new in self._pairs(Constraint):
            if old.name != new.name:
                table = in_sql(self.pairing.before, old.table)
                names = f"{quoted(new.name)} TO {quoted(old.name)}"
                yield f"ALTER TABLE {table} RENAME CONSTRAINT {names}"
        for index, now in self._pairs(Index):
            if index.name != now.name and index.oid not in _of_constraints(self.pairing.before):
                schema = self._schema(self.pairing.before, index.table)
                names = f"{schema}.{quoted(now.name)} RENAME TO {quoted(index.name)}"
                yield f"ALTER INDEX {names}"

    def added(self) -> Iterator[str]:
        constraints = [c for c in self._only_before(Constraint) if c.kind in _ORDER]
        for constraint in sorted(constraints, key=lambda c: (_ORDER.index(c.kind), c.oid)):
            if constraint.kind == "c" and constraint.valid and self._is_gone(constraint):
                continue  # its table brings it
            table = in_sql(self.pairing.before, constraint.table)
            what = f"{quoted(constraint.name)} {constraint.definition}"
            yield f"ALTER TABLE {table} ADD CONSTRAINT {what}"
        yield from self._indexes("rp")
        yield from self._policies()

    def last(self) -> Iterator[str]:
        """What would fire, or lies on views."""
        yield from self._indexes("m")
        for trigger in self._only_before(Trigger):
            yield trigger.definition
            if trigger.enabled != "O":
                yield self._enabled(trigger)
        for old, new in self._pairs(Trigger):
            if old.enabled != new.enabled:
                yield self._enabled(old)
        for rule in self._only_before(Rule):
            yield rule.definition

    def _indexes(self, kinds: str) -> Iterator[str]:
        for index in self._only_before(Index):
            table = self.pairing.before.relation(index.table)
            constrains = index.oid in _of_constraints(self.pairing.before)
            if table and table.kind in kinds and not constrains:
                yield index.definition

    def _policies(self) -> Iterator[str]:
        before = self.pairing.before
        for policy in self._only_before(Policy):
            table = before.relation(policy.table)
            if table:
                yield from self.entries.of("POLICY", table.schema, f"{table.name} {policy.name}")
        for table in before.of(Relation):
            now = self.pairing.relation(table.oid)
            had = (now.row_security, now.forced) if now else (False, False)
            if table.row_security != had[0]:
                word = "ENABLE" if table.row_security else "DISABLE"
                yield f"ALTER TABLE {full(table)} {word} ROW LEVEL SECURITY"
            if table.forced != had[1]:
                word = "FORCE" if table.forced else "NO FORCE"
                yield f"ALTER TABLE {full(table)} {word} ROW LEVEL SECURITY"

    def _enabled(self, trigger: Trigger) -> str:
        table = in_sql(self.pairing.before, trigger.table)
        return f"ALTER TABLE {table} {ENABLED[trigger.enabled]} TRIGGER {quoted(trigger.name)}"

    def _only_before(self, kind: type[Kind]) -> Iterator[Kind]:
        matched = self._matched(kind)
        for thing in self.pairing.before.of(kind):
            owner = self.pairing.before.relation(thing.table)
            if owner and not owner.bound and thing.key not in matched:
                yield thing

    def _is_gone(self, thing: Thing) -> bool:
        return thing.table not in self.pairing.relations

    def _pairs(self, kind: type[Kind]) -> Iterator[tuple[Kind, Kind]]:
        matched = self._matched(kind)
        for old in self.pairing.before.of(kind):
            if old.key in matched:
                yield old, matched[old.key]

    def _matched(self, kind: type[Kind]) -> dict[tuple[str, int, int], Kind]:
        """The same thing, or one made again alike."""
        found: dict[tuple[str, int, int], Kind] = {}
        for old in self.pairing.before.of(kind):
            if old.table in self.anew:
                continue
            same = self.pairing.now.things.get(old.key)
            if isinstance(same, kind) and not self._altered(old, same):
                found[old.key] = same
                continue
            for new in self.pairing.now.of(kind, self.pairing.relations.get(old.table, 0)):
                if (new.name, new.definition) == (old.name, old.definition):
                    found[old.key] = new
        return found

    def _altered(self, old: Thing, new: Thing) -> bool:
        """A policy can be changed where it stands; the others only follow what they are on."""
        return isinstance(old, Policy) and old != new

    def _schema(self, catalogue: Catalogue, table: int) -> str:
        relation = catalogue.relation(table)
        return quoted(relation.schema) if relation else "public"


def _of_constraints(catalogue: Catalogue) -> frozenset[int]:
    """Indexes that come and go with a constraint; a foreign key only leans on its own."""
    return frozenset(c.index for c in catalogue.of(Constraint) if c.kind in "pux")
