"""What the body of a function does to rows, as far as its text tells."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dayfly.database.impact.code.steering import asked, branches, built, defined
from dayfly.database.impact.words import assigned, plain, tokens

WHOLE_ROW = "*"
NEW, OLD, NOTHING, OTHER = "new", "old", "nothing", "other"  # what a trigger returns
_BEGINS = {";", "BEGIN", "THEN", "ELSE", "LOOP", ">"}
_MILD = ("NOTICE", "WARNING", "INFO", "LOG", "DEBUG")
_READ = ("plpgsql", "sql")
ANYTHING = "dayfly_anything"  # stands in a name for what a gap of format() is filled with
_GAP = re.compile(r"%(\d+\$)?[sI]")


@dataclass(frozen=True, kw_only=True)
class Write:
    """`column` only where single ones are set."""

    verb: str  # INSERT, UPDATE, DELETE, SCHEMA; TRUNCATE with CASCADE
    table: str  # as it is written, in the catalogue's letters
    column: str = ""


@dataclass(frozen=True, kw_only=True)
class Body:
    raises: int = 0  # how often it may raise an exception
    returns: frozenset[str] = frozenset()
    sets: frozenset[tuple[str, str]] = frozenset()  # columns of NEW, and with which expression
    writes: frozenset[Write] = frozenset()
    calls: frozenset[str] = frozenset()
    unread: tuple[str, ...] = ()  # what its text does not tell
    hidden: tuple[str, ...] = ()  # the same, of strings that it executes
    defines: frozenset[tuple[str, ...]] = frozenset()  # statements on the schema, as words
    asks: frozenset[str] = frozenset()  # names, to decide what it does
    branches: bool = False


def read_body(text: str, language: str) -> Body:
    if language not in _READ:
        return Body(unread=(f"is written in {language}", text))
    return _read(list(tokens(text)))


def _read(words: list[str]) -> Body:
    found = _Reader(words)
    said = [_read(list(tokens(literal))) for literal in found.literals()]
    return Body(
        raises=found.raises() + sum(each.raises for each in said),
        returns=frozenset(found.returns()),
        sets=frozenset(found.sets()),
        writes=frozenset(found.writes()).union(*(each.writes for each in said)),
        calls=frozenset(found.calls()).union(*(each.calls for each in said)),
        unread=tuple(found.unread()),
        hidden=tuple(word for each in said for word in (*each.unread, *each.hidden)),
        defines=frozenset(found.defines()).union(*(each.defines for each in said)),
        asks=frozenset(asked(words)).union(*(each.asks for each in said)),
        branches=branches(words) or any(each.branches for each in said),
    )


@dataclass(frozen=True)
class _Reader:
    words: list[str]

    def _at(self, place: int) -> str:
        return self.words[place] if 0 <= place < len(self.words) else ""

    def _rest(self, place: int) -> list[str]:
        """To the end of the statement."""
        end = self.words.index(";", place) if ";" in self.words[place:] else len(self.words)
        return self.words[place:end]

    def _begins(self, place: int) -> bool:
        return place == 0 or self._at(place - 1) in _BEGINS

    def _places(self, *wanted: str) -> Iterator[int]:
        return (place for place, word in enumerate(self.words) if word in wanted)

    def raises(self) -> int:
        """RAISE alone, or with anything but a lower level."""
        raising = sum(self._at(place + 1) not in _MILD for place in self._places("RAISE"))
        return raising + self.words.count("ASSERT")

    def returns(self) -> Iterator[str]:
        for place in self._places("RETURN"):
            said = set(self._rest(place + 1)) - {"COALESCE", "(", ")", ","}
            if said <= {"NEW", "OLD"}:
                yield NEW if "NEW" in said else OLD if said else OTHER
            else:
                yield NOTHING if said == {"NULL"} else OTHER

    def sets(self) -> Iterator[tuple[str, str]]:
        for place in self._places("NEW"):
            if not self._begins(place):
                continue
            column, after = WHOLE_ROW, place + 1
            if self._at(after) == ".":
                column, after = plain(self._at(after + 1)), after + 2
            sign = self.words[after : after + 2]
            if sign[:1] == ["="] or sign == [":", "="]:
                yield column, " ".join(self._rest(after)).replace(": =", "=")
            elif sign[:1] == ["["]:
                yield column, " ".join(self._rest(after))
        for place in self._places("INTO"):
            yield from self._into(place)

    def _into(self, place: int) -> Iterator[tuple[str, str]]:
        """As SELECT … INTO NEW.a, NEW.b does."""
        begin = place
        while begin > 0 and not self._begins(begin):
            begin -= 1
        expression = " ".join([*self.words[begin:place], *self._rest(place)])
        after = place + 1 + (self._at(place + 1) == "STRICT")
        while self._at(after) == "NEW":
            dotted = self._at(after + 1) == "."
            yield plain(self._at(after + 2)) if dotted else WHOLE_ROW, expression
            after += 3 if dotted else 1
            if self._at(after) != ",":
                return
            after += 1

    def writes(self) -> Iterator[Write]:
        for place in self._places("INSERT", "MERGE", "COPY"):
            yield from self._insert(place)
        yield from self._deletes()
        for place in self._places("UPDATE"):
            if not self._belongs(place):
                yield from self._update(place)
        for place in self._places("CREATE", "ALTER", "DROP"):
            name = self._of_schema(place)
            if name:
                yield Write(verb="SCHEMA", table=name)

    def _deletes(self) -> Iterator[Write]:
        for place in self._places("DELETE"):
            if self._at(place + 1) == "FROM":  # MERGE has none
                yield Write(verb="DELETE", table=self._table(self._past(place))[0])
        for place in self._places("TRUNCATE"):
            yield from self._truncate(place)

    def _insert(self, place: int) -> Iterator[Write]:
        table, _ = self._table(place + 1 + (self._at(place + 1) == "INTO"))
        yield Write(verb="INSERT", table=table)
        yield from self._conflict(place, table)
        if self._at(place) == "MERGE" and "DELETE" in self._rest(place):
            yield Write(verb="DELETE", table=table)

    def _past(self, place: int) -> int:
        """Where the name of a table begins."""
        after = place + 1
        while self._at(after) in ("FROM", "TABLE", "ONLY"):
            after += 1
        return after

    def _truncate(self, place: int) -> Iterator[Write]:
        verb = "TRUNCATE" if "CASCADE" in self._rest(place) else "DELETE"
        while self._at(place) in ("TRUNCATE", ","):
            table, place = self._table(self._past(place))
            yield Write(verb=verb, table=table)

    def _belongs(self, place: int) -> bool:
        """FOR UPDATE, ON CONFLICT DO UPDATE, WHEN MATCHED THEN UPDATE: told of another verb."""
        before = self._at(place - 1)
        merged = before == "THEN" and self._at(place + 1) == "SET"
        return merged or before in ("FOR", "KEY", "DO", "OR", "ON")

    def _of_schema(self, place: int) -> str:
        """The table that a statement makes or drops; empty for anything else."""
        rest = self._rest(place + 1)
        if not self._begins(place) or rest[:1] != ["TABLE"]:
            return ""
        after = place + 2
        while self._at(after) in ("IF", "NOT", "EXISTS", "ONLY"):
            after += 1
        return self._table(after)[0]

    def _update(self, place: int) -> Iterator[Write]:
        table, after = self._table(place + 1 + (self._at(place + 1) == "ONLY"))
        rest = self._rest(after)
        if "SET" in rest:
            for column in assigned(rest[rest.index("SET") + 1 :]):
                yield Write(verb="UPDATE", table=table, column=column)

    def _conflict(self, place: int, table: str) -> Iterator[Write]:
        rest = self._rest(place)
        if "UPDATE" in rest:
            for column in assigned(rest[rest.index("UPDATE") + 2 :]):
                yield Write(verb="UPDATE", table=table, column=column)

    def _table(self, place: int) -> tuple[str, int]:
        """A name with or without its schema, and where it ends."""
        while self._at(place + 1) == ".":
            place += 2
        return plain(self._at(place)), place + 1

    def calls(self) -> Iterator[str]:
        for place in self._places("("):
            before = self._at(place - 1)
            if before[:1].isalpha() or before[:1] in '_"':
                yield plain(before)

    def literals(self) -> Iterator[str]:
        """SQL that is executed as it stands, or with values put into its gaps."""
        for place in self._places("EXECUTE"):
            if self._fixed(place):
                text = next(word for word in self._rest(place) if word.startswith("'"))
                yield _GAP.sub(ANYTHING, text[1:-1].replace("''", "'").replace("%L", "NULL"))

    def _fixed(self, place: int) -> bool:
        following = self.words[place + 1 : place + 3]
        if following == ["FORMAT", "("]:
            return self._at(place + 3).startswith("'") and "|" not in self._rest(place)
        return "".join(following[:1]).startswith("'") and (
            following[1:] == [] or following[1] in (";", "USING", "INTO", "LOOP")
        )

    def defines(self) -> Iterator[tuple[str, ...]]:
        """Statements that change the schema; those that are put together, if they take anything."""
        yield from defined(self.words)
        for place in self._places("EXECUTE"):
            if self._begins(place) and not self._fixed(place):
                yield from built(self._rest(place), ANYTHING)

    def unread(self) -> Iterator[str]:
        for place in self._places("EXECUTE"):
            if not self._fixed(place):
                yield f"puts its SQL together when it runs: {' '.join(self._rest(place))}"
        for place in self._places("CREATE", "ALTER", "DROP"):
            temporary = {"TEMP", "TEMPORARY"} & set(self._rest(place)[:2])
            if self._begins(place) and not temporary and not self._of_schema(place):
                yield f"changes the schema: {' '.join(self._rest(place))}"


def together(bodies: Sequence[Body], last: Body) -> Body:
    """A body with what it calls; only its own NEW and RETURN count."""
    every = (*bodies, last)
    return Body(
        raises=sum(each.raises for each in every),
        returns=last.returns,
        sets=last.sets,
        writes=frozenset[Write]().union(*(each.writes for each in every)),
        calls=last.calls,
        unread=tuple(dict.fromkeys(word for each in every for word in each.unread)),
        hidden=tuple(dict.fromkeys(word for each in every for word in each.hidden)),
        defines=frozenset[tuple[str, ...]]().union(*(each.defines for each in every)),
        asks=frozenset[str]().union(*(each.asks for each in every)),
        branches=any(each.branches for each in every),
    )
