"""Searches that got a name. They lie with the environment, so that whoever may enter has them.

A browser's own store would keep them from colleagues, and from oneself on another computer.
"""

from pathlib import Path

import msgspec

from dayfly.console.logs.view import View
from dayfly.durable import locked, write_atomically
from dayfly.errors import UsageError
from dayfly.stored import read_json

MOST, LONGEST_NAME = 100, 60


class Saved(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    query: str
    since: str
    until: str

    @property
    def address(self) -> str:
        return View(query=self.query, since=self.since, until=self.until).address()


def load(path: Path) -> list[Saved]:
    """By name; none where none was ever kept."""
    return read_json(path, list[Saved], absent=[], hint="Mend it, or remove it.")


def keep(path: Path, name: str, view: View) -> None:
    """One of that name is replaced."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise UsageError(f"A name of {len(name)} characters; allowed are 1 to {LONGEST_NAME}.")
    fresh = Saved(name=name, query=view.query, since=view.since, until=view.until)
    with locked(path.with_suffix(".lock")):
        kept = [each for each in load(path) if each.name != name]
        if len(kept) >= MOST:
            raise UsageError(f"There are {MOST} saved searches, and no more are kept.")
        _write(path, [*kept, fresh])


def forget(path: Path, name: str) -> None:
    with locked(path.with_suffix(".lock")):
        _write(path, [each for each in load(path) if each.name != name])


def _write(path: Path, saved: list[Saved]) -> None:
    ordered = sorted(saved, key=lambda each: each.name.lower())
    write_atomically(path, msgspec.json.format(msgspec.json.encode(ordered)))
