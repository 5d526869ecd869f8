"""What the log store found, as it comes; what the page needs at its end is known then."""

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from dayfly.console.logs.narrowing import condition
from dayfly.console.logs.records import Row, Rows, cell
from dayfly.console.logs.shapes import of_shape
from dayfly.console.logs.view import PAGE, View
from dayfly.errors import DayflyError
from dayfly.logs.notice import noticed
from dayfly.logs.query import instants, tree

MOST_ROWS = 1000  # of what a pipe made


@dataclass
class Answer:
    """`problem` is why it ended early, `cut` what was left out."""

    lines: Generator[str]
    problem: str = ""
    hint: str = ""
    cut: str = ""

    def told(self) -> Generator[tuple[str, dict[str, Any]]]:
        try:
            with closing(self.lines):  # who leaves before the end stops the search
                for line in self.lines:
                    row = json.loads(line)
                    told = noticed(row)
                    if not told:
                        yield line, row
                    elif "error" in told:
                        self.problem, self.hint = told["error"], told["hint"]
                    else:
                        self.cut = told["cut"]
        except DayflyError as error:
            self.problem, self.hint = error.message, error.hint


@dataclass
class Records:
    """The records of one page, newest first."""

    answer: Answer
    view: View
    rows: Rows
    count: int = 0
    older: str = ""  # the address of the next page
    _times: list[int] = field(default_factory=list)

    def __iter__(self) -> Iterator[Row]:
        with closing(self.answer.told()) as found:
            for number, (line, record) in enumerate(found):
                if number >= self.view.skip + PAGE:
                    self.older = self._next()
                elif number >= self.view.skip:
                    self.count += 1
                    self._times.append(instants.begin_of(str(record["time"])))
                    yield self.rows.row(line, record)

    def _next(self) -> str:
        """From the last record on; those of its nanosecond that were shown are left out."""
        last = self._times[-1]
        same = sum(time == last for time in self._times)
        if same == len(self._times) and self.view.before == last + 1:
            same += self.view.skip
        return self.view.address(before=last + 1, skip=same)


@dataclass(frozen=True)
class Cell:
    text: str
    condition: str = ""
    number: bool = False
    address: str = ""  # of the records that a pattern stands for


@dataclass
class Table:
    """What a pipe made."""

    answer: Answer
    pipe: tree.Pipe
    view: View
    names: Sequence[str] = ()
    rows: list[list[Cell]] = field(default_factory=list)
    left_out: int = 0

    def read(self) -> None:
        fields = fields_of(self.pipe)
        for _, row in self.answer.told():
            self.names = self.names or list(row)
            if len(self.rows) < MOST_ROWS:
                self.rows.append(cells(row, fields, self.view))
            else:
                self.left_out += 1


def fields_of(pipe: tree.Pipe) -> tuple[str, ...]:
    """The columns that are fields of the records."""
    match pipe:
        case tree.Count(by) | tree.Percentile(_, _, by):
            return by
        case tree.Top(_, name):
            return (name,)
        case tree.Select(names):
            return names
        case _:
            return ()


def cells(row: Mapping[str, Any], fields: Sequence[str], view: View) -> list[Cell]:
    """A pattern leads to its records; the value of a field can be chosen."""
    shape = str(row["pattern"]) if "pattern" in row and "pattern" not in fields else ""
    there = view.but(query=of_shape(view.query, shape)).address() if shape else ""
    return [
        _cell(value, name if name in fields else "", there if name == "pattern" else "")
        for name, value in row.items()
    ]


def _cell(value: Any, field_: str, address: str) -> Cell:  # noqa: ANN401 - JSON
    if isinstance(value, str) and not field_ and not address and instants.span(value):
        return Cell(text=instants.to_the_millisecond(value), number=True)
    scalar = value is None or isinstance(value, str | int | float)
    return Cell(
        text=cell(value),
        condition=condition(field_, value) if field_ and scalar else "",
        number=isinstance(value, int | float) and not isinstance(value, bool),
        address=address,
    )


def facets(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Fields that tell something, each value with its condition and its share."""
    return [
        {
            "name": each["name"],
            "missing": found["total"] - each["having"],
            "none": condition(each["name"], None),
            "values": [
                {
                    "text": cell(value["value"]),
                    "count": value["count"],
                    "share": 100 * value["count"] / max(found["total"], 1),
                    "condition": condition(each["name"], value["value"]),
                }
                for value in each["values"]
            ],
        }
        for each in found["facets"]
        if each["values"]
    ]
