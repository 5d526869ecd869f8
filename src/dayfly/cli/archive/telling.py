"""What all commands of the archive begin and end with."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dayfly.cli.archive import place
from dayfly.cli.output import clean, say, say_json
from dayfly.cli.session import Session
from dayfly.files.repository import Repository
from dayfly.files.store import Store

Row = Mapping[str, Any]


@contextmanager
def opened_own(session: Session, at: Mapping[str, str | None]) -> Iterator[Repository]:
    """For what only our own archive has."""
    with place.opened_own(session, at["root"], at["index"]) as repository:
        yield repository


@contextmanager
def opened(session: Session, at: Mapping[str, str | None]) -> Iterator[Store]:
    with place.opened(session, at["root"], at["index"]) as repository:
        yield repository


def each_told(rows: Iterable[Row], line: Callable[[Any], str], *, json: bool) -> None:
    if json:
        say_json(list(rows))
        return
    for row in rows:
        say(line(row))


def answered(row: Row, line: str, *, json: bool) -> int:
    if json:
        say_json(row)
    else:
        say(clean(line))
    return 0
