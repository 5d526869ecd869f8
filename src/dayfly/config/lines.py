"""On which line of a TOML text each key stands."""

import itertools
import tomllib
from collections.abc import Iterator

from dayfly.config.problem import KeyPath

LONGEST_VALUE = 100  # lines; a key whose value is longer, and what follows it, stays unknown


def lines_of(text: str) -> dict[KeyPath, int]:
    """The line of every key path in a valid TOML text, counted from 1.

    tomllib keeps no places. But the shortest run of lines that it can read is one statement, so
    reading statement by statement finds where each begins.
    """
    found: dict[KeyPath, int] = {}
    header: KeyPath = ()
    for line, statement in _statements(text):
        paths = list(_paths(tomllib.loads(statement)))
        if statement.lstrip().startswith("["):
            header = _header(paths[-1], found)
            places = [header[:length] for length in range(1, len(header) + 1)]
        else:
            places = [header + path for path in paths]
        for path in places:
            found.setdefault(path, line)
    return found


def _header(path: KeyPath, found: dict[KeyPath, int]) -> KeyPath:
    """Of `[[list]]` the next place that is free; alone it reads as the first."""
    if not isinstance(path[-1], int):
        return path
    places = itertools.count()
    return next((*path[:-1], at) for at in places if (*path[:-1], at) not in found)


def _statements(text: str) -> Iterator[tuple[int, str]]:
    begun: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        begun.append(line)
        if len(begun) > LONGEST_VALUE:
            return
        statement = "\n".join(begun)
        try:
            tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        yield number - len(begun) + 1, statement
        begun = []


def _paths(value: object, at: KeyPath = ()) -> Iterator[KeyPath]:
    if at:
        yield at
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _paths(inner, (*at, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _paths(inner, (*at, place))
