"""One session that runs a migration statement by statement, and notes what each one does."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import psycopg
from psycopg import sql

from dayfly.database.captured import Statement, Transaction
from dayfly.database.impact.replay.acting import Actor
from dayfly.database.impact.replay.effects import Effect, Failure, Step
from dayfly.database.impact.replay.executing import execute, failure, written_rows
from dayfly.database.impact.replay.locks import raised, strength
from dayfly.database.impact.replay.marks import Connection, Counts, Marks, files, locks, marks
from dayfly.database.impact.replay.outside import run_outside
from dayfly.database.impact.replay.plan import PLANNED, planned
from dayfly.database.impact.replay.writeback import write_back
from dayfly.database.impact.schema.catalogue import Catalogue, Index, Relation, Sequence
from dayfly.database.impact.schema.snapshot import renewed, snapshot
from dayfly.database.impact.words import first_word, mentions, tokens

_QUERIES = (*PLANNED, "DO", "CALL", "FETCH", "COPY", "EXECUTE", "TABLE", "VALUES", "DECLARE")
_UNCHANGING = (*PLANNED, "SET", "RESET", "SHOW", "COPY", "LOCK", "ANALYZE", "FETCH", "DECLARE")
_BELOW_TABLES = ("ALTER TABLE", "CREATE INDEX", "CREATE TABLE")
_BEYOND_TABLES = {
    "RENAME", "OWNER", "SCHEMA", "CASCADE", "INHERIT", "ATTACH", "DETACH", "OF",
    "DISABLE", "ENABLE",
}  # fmt: skip
_NEEDS_NO_TRANSACTION = "25001"
_ENDS_TRANSACTION = "2D000"


class _OutsideError(Exception):
    """The statement refuses a transaction."""


class _FailedError(Exception):
    """The statement failed, and the migration with it."""

    def __init__(self, why: Failure) -> None:
        super().__init__(why.message)
        self.failure = why


@dataclass
class Player:
    """One session that runs a migration; knows what was there before it."""

    connection: Connection
    before: Catalogue
    current: Catalogue
    actor: Actor

    def play(self, transaction: Transaction) -> tuple[Step, ...]:
        if not transaction.block and len(transaction.statements) == 1:
            try:
                return self._in_block(transaction.statements, alone=True)
            except _OutsideError:
                return (self._outside(transaction.statements[0]),)
        return self._in_block(transaction.statements, alone=False)

    def _in_block(self, statements: tuple[Statement, ...], *, alone: bool) -> tuple[Step, ...]:
        steps: list[Step] = []
        at_begin = self.current
        self.connection.execute("BEGIN")
        try:
            for statement in statements:
                steps.append(self._step(statement, alone=alone))
                if steps[-1].effect.failure:
                    self.current = at_begin
                    return tuple(steps)
            self.connection.execute("COMMIT")
        except psycopg.Error as error:
            self.current = at_begin
            steps[-1] = _failed(steps[-1], failure(error))
        finally:
            if not self.connection.closed:
                self.connection.execute("ROLLBACK")
        return tuple(steps)

    def _step(self, statement: Statement, *, alone: bool) -> Step:
        plan = planned(self.connection, statement.text, self.current)
        back = write_back(statement.text) if plan.constant and plan.updates else None
        before = back.values(self.connection) if back else None
        refused: Failure | None = None
        try:
            effect = self._measured(statement, alone=alone)
        except _FailedError as error:
            refused = error.failure
            try:
                effect = self._without_rows(statement, refused, alone=alone)
            except _FailedError as again:
                effect = Effect(statement=statement, failure=again.failure)
        effect = replace(
            effect,
            refused=None if effect.failure else refused,
            targets=self._known(plan.targets),
            updates=plan.updates & self.before_tables,
            deletes=plan.deletes & self.before_tables,
            wrote=effect.wrote | frozenset(plan.targets),
            read=effect.read | (plan.read & self.before_tables if effect.read else frozenset()),
            constant=plan.constant,
            lookup=plan.lookup,
            follows=plan.follows - self.before_tables,
            ends=plan.ends,
            pairs=plan.pairs,
            joins=plan.joins,
            changed=back.changed(before, back.values(self.connection)) if back else None,
        )
        changing = first_word(statement.text) not in _UNCHANGING or effect.defines
        if changing and not effect.failure:
            self.current = self._after(effect)
        return Step(effect=effect, after=self.current)

    def _after(self, effect: Effect) -> Catalogue:
        """What lies below a table changes under a lock on it: only such tables are read again."""
        words = set(tokens(effect.statement.text))
        if effect.tag not in _BELOW_TABLES or words & _BEYOND_TABLES:
            return snapshot(self.connection)
        touched = locks(self.connection, self.connection.info.backend_pid, {})
        changed = {
            oid for oid, mode in touched.items() if strength(mode) > strength("RowExclusive")
        }
        return renewed(self.connection, self.current, changed)

    @cached_property
    def before_tables(self) -> frozenset[int]:
        return frozenset(relation.oid for relation in self.before.of(Relation))

    @cached_property
    def sequences(self) -> frozenset[int]:
        return frozenset(sequence.oid for sequence in self.before.of(Sequence))

    @cached_property
    def indexes(self) -> Mapping[int, int]:
        return {index.oid: index.table for index in self.before.of(Index)}

    def _known(self, relations: Mapping[int, Any]) -> dict[int, Any]:
        return {oid: value for oid, value in relations.items() if oid in self.before_tables}

    def _measured(self, statement: Statement, *, alone: bool) -> Effect:
        earlier = marks(self.connection, self.indexes)
        self.connection.execute("SAVEPOINT dayfly")
        started = time.perf_counter()
        try:
            with self.actor.acting():
                said = execute(self.connection, statement.text)
        except psycopg.Error as error:
            if error.sqlstate in (_NEEDS_NO_TRANSACTION, _ENDS_TRANSACTION) and alone:
                raise _OutsideError from error
            self.connection.execute("ROLLBACK TO SAVEPOINT dayfly")
            raise _FailedError(failure(error)) from error
        seconds = time.perf_counter() - started
        self.connection.execute("RELEASE SAVEPOINT dayfly")
        later = marks(self.connection, self.indexes)
        effect = self._effect(statement, said.tag, seconds, earlier, later)
        return replace(effect, answered=said.answered)

    def _effect(
        self, statement: Statement, tag: str, seconds: float, earlier: Marks, later: Marks
    ) -> Effect:
        counts = {
            oid: count.since(earlier.counts.get(oid, Counts()))
            for oid, count in later.counts.items()
        }
        written = written_rows(counts)
        scanned = frozenset(oid for oid, count in counts.items() if count.scans > 0)
        scanned &= self.before_tables
        held = self._known(raised(earlier.locks, later.locks))
        read: frozenset[int] = frozenset()
        if first_word(statement.text) in _QUERIES:  # a DO block may hide both
            strong = {oid for oid, mode in held.items() if strength(mode) >= strength("Share")}
            scanned, read = scanned & strong, scanned - strong
        rewritten = self._rewritten(earlier.files, later.files)
        counting = rewritten & self.sequences
        rewritten -= counting
        truncates = mentions(statement.text, "TRUNCATE")
        return Effect(
            statement=statement,
            tag=tag,
            locks=held,
            rewritten=frozenset() if truncates else rewritten,
            emptied=rewritten if truncates else frozenset(),
            counting=counting,
            scanned=scanned,
            read=read,
            written=self._known(written),
            wrote=frozenset(written),
            defines=later.defined != earlier.defined,
            seconds=seconds,
        )

    def _rewritten(self, earlier: Mapping[int, int], later: Mapping[int, int]) -> frozenset[int]:
        """Existing tables whose file is another; those of which only an index is made again too."""
        changed = {oid for oid, file in earlier.items() if oid in later and later[oid] != file}
        owners = (self.before.things.get(("Index", oid, 0)) for oid in changed)
        return frozenset(changed & self.before_tables) | frozenset(
            index.table for index in owners if index is not None
        )

    def _without_rows(self, statement: Statement, why: Failure, *, alone: bool) -> Effect:
        """Again with its tables empty, when it was rows of the copy that were in the way."""
        if not why.of_rows:
            raise _FailedError(why)
        self.connection.execute("SAVEPOINT dayfly_rows")
        try:
            self._empty(statement, why)
        except psycopg.Error as error:
            self.connection.execute("ROLLBACK TO SAVEPOINT dayfly_rows")
            raise _FailedError(why) from error
        return self._measured(statement, alone=alone)

    def _empty(self, statement: Statement, why: Failure) -> None:
        self.connection.execute("SET LOCAL session_replication_role = replica")
        for relation in self.current.of(Relation):
            named = relation.name == why.table or mentions(statement.text, relation.name)
            if named and relation.kind in "rp":
                name = sql.Identifier(relation.schema, relation.name)
                self.connection.execute(sql.SQL("DELETE FROM {}").format(name))
        self.connection.execute("SET LOCAL session_replication_role = origin")

    def _outside(self, statement: Statement) -> Step:
        earlier = files(self.connection)
        refused: Failure | None = None
        started = time.perf_counter()
        try:
            tag, held = self._undisturbed(statement)
        except psycopg.Error as error:
            refused = failure(error)
            if not refused.of_rows:
                return _failed(
                    Step(effect=Effect(statement=statement), after=self.current), refused
                )
            tag, held = self._again(statement, refused)
        with self.connection.transaction():
            self.current = snapshot(self.connection)
        held = {**held, **self._detached(held)}
        effect = Effect(
            statement=statement,
            tag=tag,
            locks=self._known(held),
            rewritten=self._rewritten(earlier, files(self.connection)) - self.sequences,
            seconds=time.perf_counter() - started,
            refused=refused,
            outside=True,
        )
        return Step(effect=effect, after=self.current)

    def _undisturbed(self, statement: Statement) -> tuple[str, dict[int, str]]:
        tables = [
            (relation.schema, relation.name)
            for relation in self.current.of(Relation)
            if relation.kind in "rp"
        ]
        with self.actor.acting():
            return run_outside(self.connection, statement.text, tables, self.indexes)

    def _detached(self, held: Mapping[int, str]) -> dict[int, str]:
        """DETACH … CONCURRENTLY holds nothing while it waits, and this afterwards."""
        parents = {
            part.parent
            for part in self.before.of(Relation)
            if part.parent and not getattr(self.current.relation(part.oid), "parent", 0)
        }
        return {oid: "ShareUpdateExclusive" for oid in parents if oid not in held}

    def _again(self, statement: Statement, refused: Failure) -> tuple[str, dict[int, str]]:
        """Without the rows that were in the way, nor the invalid index of the first try."""
        with self.connection.transaction():
            self._empty(statement, refused)
            left = snapshot(self.connection)
            for index in left.of(Index):
                owner = left.relation(index.table)
                if index.key not in self.current.things and owner:
                    name = sql.Identifier(owner.schema, index.name)
                    self.connection.execute(sql.SQL("DROP INDEX {}").format(name))
        return self._undisturbed(statement)


def _failed(step: Step, failure: Failure) -> Step:
    return replace(step, effect=replace(step.effect, failure=failure))
