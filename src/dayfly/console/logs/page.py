"""A page of the logs: what is asked of the store, in the order in which it is shown."""

import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from dayfly.console.logs import completing, found, narrowing
from dayfly.console.logs.bars import MOST, Bars, bars
from dayfly.console.logs.records import Row, Rows, marker
from dayfly.console.logs.view import PATH, View
from dayfly.console.state import State
from dayfly.logs.query import tree
from dayfly.logs.query.parse import parse
from dayfly.logs.query.problem import QueryError, pointed
from dayfly.logs.record import STREAM, digest_of

SECONDS = 20  # that a search for a page may take
BESIDE_SECONDS = 10  # what stands beside it
FACETS = ("level", "app", "release", "process", "stream", "machine", "host")
COMPARE = f"{PATH}/compare"
ERRORS = "level:>=error"
AROUND = 30  # lines before and after
MORE = Markup("<!-- more -->")  # what stands before it is sent at once


@dataclass(frozen=True, kw_only=True)
class Problem:
    """`line` and `caret` point at the column of a query."""

    says: str
    hint: str
    line: str = ""
    caret: str = ""
    column: int = 0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A query that can be asked."""

    state: State
    view: View
    query: tree.Query

    @property
    def pipe(self) -> tree.Pipe | None:
        """What makes other rows than records."""
        return self.query.pipes[0] if self.query.pipes else None

    @property
    def conditions(self) -> str:
        return narrowing.without_pipe(self.view.query)

    def records(self) -> found.Records:
        answer = self._answer(**self.view.page)
        return found.Records(answer, self.view, Rows(marker(self.query.where)))

    def table(self, pipe: tree.Pipe) -> found.Table:
        table = found.Table(
            self._answer(**self.view.bounds, limit=found.MOST_ROWS + 1), pipe, self.view
        )
        table.read()
        return table

    @property
    def patterns(self) -> str:
        """The address of what was found, grouped by shape."""
        return self.view.but(query=narrowing.piped(self.view.query, "patterns")).address()

    @property
    def plain(self) -> str:
        """The address of the records that a pipe is made of."""
        conditions = "" if self.conditions == "*" else self.conditions
        return self.view.but(query=conditions).address()

    @property
    def compare(self) -> str:
        return self.view.but(query="" if self.conditions == "*" else self.conditions).address(
            COMPARE
        )

    def bars(self) -> Bars | Problem | None:
        told = self._beside("histogram", bars=MOST)
        return told if isinstance(told, Problem) else bars(told, self.view)

    def facets(self) -> Mapping[str, Any] | Problem:
        names = dict.fromkeys((*self.view.names, *FACETS))
        told = self._beside("facets", names=",".join(names))
        if isinstance(told, Problem):
            return told
        return {"facets": found.facets(told), "cut": told["cut"]}

    def _answer(self, **told: object) -> found.Answer:
        lines = self.state.logs("search", query=self.view.query, seconds=SECONDS, **told)
        return found.Answer(lines)

    def _beside(self, question: str, **told: object) -> Mapping[str, Any] | Problem:
        wanted = {**self.view.bounds, **told, "query": self.conditions, "seconds": BESIDE_SECONDS}
        return one(self.state, question, **wanted)


def asked(state: State, view: View) -> Asked:
    """QueryError says what is wrong with the query."""
    return Asked(state=state, view=view, query=parse(view.query))


def one(state: State, question: str, **told: object) -> Mapping[str, Any] | Problem:
    """An answer that is one object, or what stands in its place."""
    answer = found.Answer(state.logs(question, **told))
    with closing(answer.told()) as rows:
        for _, row in rows:
            return row
    return Problem(says=answer.problem or "The log store said nothing.", hint=answer.hint)


def problem_of(error: QueryError) -> Problem:
    line, caret = pointed(error.query, error.column)
    return Problem(
        says=f"column {error.column}: {error.says}",
        hint=error.hint,
        line=line,
        caret=caret,
        column=error.column,
    )


@dataclass(frozen=True, kw_only=True)
class Around:
    """`at` is the place of the record whose neighbours these are; None where it is gone."""

    rows: list[Row]
    at: int | None
    cut: str


def around(state: State, told: Mapping[str, str]) -> Around | Problem:
    """The lines of the same stream before and after a record."""
    stands = {name: told[name] for name in ("time", *STREAM) if told.get(name)}
    answer = one(state, "context", **stands, before=AROUND, after=AROUND, seconds=SECONDS)
    if isinstance(answer, Problem):
        return answer
    records, rows = answer["records"], Rows(marker(tree.Everything()))
    wanted = (told.get("time"), told.get("digest"))
    same = [n for n, each in enumerate(records) if _identity(each) == wanted]
    return Around(
        rows=[rows.row(json.dumps(each), each) for each in records],
        at=same[0] if same else None,
        cut=answer["cut"],
    )


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The patterns of a later release that an earlier one never had."""

    names: tuple[str, ...]
    rows: list[list[found.Cell]]
    answer: found.Answer
    left_out: int
    nothing_of: tuple[int, ...]


def compared(state: State, view: View, releases: tuple[str, str]) -> Compared | Problem:
    """QueryError where the query is wrong."""
    conditions, (before, after) = narrowing.without_pipe(view.query), releases
    told = {"query": conditions, "before": before, "after": after, **view.bounds}
    answer = one(state, "compare", **told, seconds=SECONDS)
    if isinstance(answer, Problem):
        return answer
    there = view.but(query=narrowing.included(conditions, f"release:{after}"))
    rows = answer["patterns"]
    return Compared(
        names=tuple(rows[0]) if rows else (),
        rows=[found.cells(row, (), there) for row in rows[: found.MOST_ROWS]],
        answer=found.Answer(_nothing(), cut=answer["cut"]),
        left_out=max(0, len(rows) - found.MOST_ROWS),
        nothing_of=tuple(answer["nothing_of"]),
    )


def _nothing() -> Generator[str]:
    yield from ()


def completions(state: State, text: str, view: View) -> Mapping[str, Any]:
    """What may take the place of what stands from `from` on."""
    asked_ = completing.wanted(text)
    if asked_ is None:
        return {"from": 0, "options": []}
    if asked_.kind == "pipes":
        return {"from": asked_.at, "options": completing.pipes(asked_)}
    if asked_.kind == "fields":
        answer = one(state, "fields", **view.bounds, prefix=asked_.start, size=completing.MOST)
    else:
        answer = _values(state, asked_, view.but(query=completing.before(text, asked_)))
    offered = [] if isinstance(answer, Problem) else completing.options(asked_, answer)
    return {"from": asked_.at, "options": offered}


def _values(state: State, asked_: completing.Wanted, view: View) -> Mapping[str, Any] | Problem:
    told = {"name": asked_.name, "prefix": asked_.start, "size": completing.MOST}
    if view.query:
        told["query"] = view.query
    return one(state, "values", **view.bounds, **told)


def _identity(record: Mapping[str, Any]) -> tuple[str, str]:
    return str(record["time"]), digest_of(str(record["message"]))


def pieces(stream: Iterator[str]) -> Generator[str]:
    """What stands before a mark at once, and not each little piece of a template by itself."""
    held: list[str] = []
    for piece in stream:
        held.append(piece)
        if piece == MORE:
            yield "".join(held)
            held.clear()
    yield "".join(held)
