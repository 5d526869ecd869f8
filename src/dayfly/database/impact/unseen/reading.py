"""Rows that a program read, and then wrote or did not: what follows from them was seen or not."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from dayfly.database.impact.evidence.comparison import Comparison
from dayfly.database.impact.losing.meant import inserts, missing
from dayfly.database.impact.replay.effects import Effect
from dayfly.database.impact.schema.catalogue import Column, Constraint
from dayfly.database.impact.words import (
    asks_for,
    asks_for_nulls,
    condition,
    mentions,
    shape,
)

_NEXT_VALUE = "setval"  # of a sequence: reads the largest key, writes no row
_COUNTS = re.compile(r"SELECT (\( )?(\?|COUNT \( [^()]+ \))( \))?( AS \S+)? FROM .*")
_ANY_ROW = re.compile(r"SELECT (\( )?\?( \))?( AS \S+)? FROM \S+( \. \S+)?( LIMIT \?)?")


@dataclass(frozen=True)
class Program:
    """What one migration sent, in order; between two statements it may decide by their answers."""

    what: Comparison
    effects: Sequence[Effect]
    own: frozenset[int] = frozenset()  # new tables that it alone has filled, row by row

    def unseen(self) -> Iterator[tuple[Effect, int]]:
        """The first question to each table with rows in production that nothing came of here."""
        told: set[int] = set()
        for _, effect in self._questions:
            tables = effect.read & self.what.filled
            if shape(effect.statement.text) not in self._understood and not tables & told:
                told |= tables
                yield effect, min(tables)

    def decides(self) -> frozenset[int]:
        """Tables by whose rows it has chosen what to write: others may make it write otherwise."""
        return frozenset(
            oid
            for place, effect in self._questions
            if effect.answered and self._led_on(place, effect) and not self._any_row(effect)
            for oid in effect.read & self.what.filled
        )

    def missing(self) -> tuple[Effect, int, str] | None:
        """The first rows that it asked for, and what its text would do to some of them."""
        told = " and ".join(missing(self.what, self.effects))
        for _, effect in self._questions if told else ():
            return effect, min(effect.read & self.what.filled), told
        return None

    @cached_property
    def _questions(self) -> list[tuple[int, Effect]]:
        return [
            (place, effect)
            for place, effect in enumerate(self.effects)
            if effect.answered is not None
            and not effect.wrote
            and effect.read & self.what.filled
            and not mentions(effect.statement.text, _NEXT_VALUE)
        ]

    @cached_property
    def _understood(self) -> frozenset[tuple[str, ...]]:
        """In a loop the same question is asked again and again; one that led to a write will do."""
        return frozenset(
            shape(effect.statement.text)
            for place, effect in self._questions
            if self._led_on(place, effect)
            or self._tells_nothing(place, effect)
            or self._checks(place, effect)
            or self._finds_its_own(effect)
        )

    def _tells_nothing(self, place: int, effect: Effect) -> bool:
        """Whether there is any row, as there is in production; or the row of a known key."""
        if not effect.answered:
            return False
        first = place == self._questions[0][0]
        return (effect.lookup and not first) or self._any_row(effect)

    def _finds_its_own(self, effect: Effect) -> bool:
        """What it has put there itself, as `set` looks for links that a row has already."""
        return bool(effect.follows & self.own)

    def _any_row(self, effect: Effect) -> bool:
        return _ANY_ROW.fullmatch(" ".join(shape(effect.statement.text))) is not None

    def _checks(self, place: int, effect: Effect) -> bool:
        """Whether a column that it fills itself has NULL left, or a value already; and it has not.

        Or how many rows there are that it then changes, none as well. Only a count: rows that it
        reads, it may delete.
        """
        if effect.answered or len(effect.read) != 1:
            return False
        [table] = effect.read
        filled = self._sets(self.effects[:place], table)
        new = self._sets(self.effects, table) - {
            column.name for column in self.what.before.of(Column, table)
        }
        text = effect.statement.text
        if _COUNTS.fullmatch(" ".join(shape(text))) is None:
            return False
        later = self.effects[place + 1 :]
        goes_on = any(
            table in each.targets and condition(each.statement.text) == condition(text)
            for each in later
        )
        return goes_on or asks_for_nulls(text, filled) or asks_for(text, new)

    @staticmethod
    def _sets(effects: Sequence[Effect], table: int) -> frozenset[str]:
        return frozenset(name for each in effects for name in each.targets.get(table, ()))

    def _led_on(self, place: int, effect: Effect) -> bool:
        """To a write of what has to do with these rows; where there were none, of such a row."""
        later = self.effects[place + 1 :]
        if effect.answered:
            return any(self._related(effect.read, each.wrote - self.what.kept) for each in later)
        for_update = mentions(effect.statement.text, "UPDATE")
        return not for_update and any(inserts(each) & effect.read for each in later)

    def _related(self, read: frozenset[int], wrote: frozenset[int]) -> bool:
        new = {oid for oid in wrote if self.what.before.relation(oid) is None}
        return bool(new or wrote & read or (self._beside(read) & wrote))

    def _beside(self, read: frozenset[int]) -> frozenset[int]:
        """Tables that foreign keys join to these."""
        found: set[int] = set()
        for catalogue in (self.what.before, self.what.after):
            for key in catalogue.of(Constraint):
                ends = {key.table, key.target}
                if key.kind == "f" and ends & read:
                    found |= ends
        return frozenset(found)
