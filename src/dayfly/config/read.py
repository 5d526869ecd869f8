"""From what TOML holds to frozen settings, collecting every problem on the way."""

import json
from dataclasses import MISSING, dataclass, field, is_dataclass
from difflib import get_close_matches
from typing import Literal, get_args

from dayfly.config.problem import KeyPath, Problem, dotted
from dayfly.config.schema import NAME, Key, Kind, keys_of, origin_of, without_none, words
from dayfly.config.units import Duration, Size, UnitError

WRONG = object()  # in the place of a value that cannot be made
NOTHING = ""  # in the place of a required text that is missing or wrong
_SHOWN = 60  # characters of what was found
_NEAR = 0.7  # how alike two keys are for a suggestion
_FEW = 2  # tables that are worth naming for a misplaced key


@dataclass(frozen=True)
class Reader:
    """Reads one kind of file; `others` are the keys of the file that people confuse it with."""

    keys: tuple[Key, ...]
    others: tuple[Key, ...]
    other_file: str  # as a person is told: environment.toml (the operator's)
    problems: list[Problem] = field(default_factory=list)

    def value(self, kind: Kind, raw: object, at: KeyPath) -> object:
        """The value of `kind` that `raw` means, or WRONG with at least one problem noted.

        In a table what is wrong has its default, so that the rules see all that could be read.
        """
        kind = without_none(kind)
        if is_dataclass(kind):
            return self._table(kind, raw, at)
        if origin_of(kind) is dict:
            return self._named(get_args(kind)[1], raw, at)
        if origin_of(kind) is tuple:
            return self._list(get_args(kind)[0], raw, at)
        if kind in (Duration, Size):
            return self._unit(kind, raw, at)
        return self._plain(kind, raw, at)

    def _table(self, kind: Kind, raw: object, at: KeyPath) -> object:
        if not isinstance(raw, dict):
            return self._wrong(kind, raw, at)
        known = {key.path[0]: key for key in keys_of(kind) if len(key.path) == 1}
        for name in (name for name in raw if name not in known):
            self.problems.append(self._unknown_key(name, at, list(known)))
        read = {n: self.value(known[n].kind, raw[n], (*at, n)) for n in known if n in raw}
        missing = [n for n, key in known.items() if key.default is MISSING and n not in raw]
        for name in missing:
            says = f"missing; allowed is {words(known[name].kind)}"
            self.problems.append(Problem((*at, name), says))
        right = {name: value for name, value in read.items() if value is not WRONG}
        required = (name for name, key in known.items() if key.default is MISSING)
        return kind(**dict.fromkeys(required, NOTHING) | right)

    def _named(self, kind: Kind, raw: object, at: KeyPath) -> object:
        if not isinstance(raw, dict):
            return self._wrong(dict[str, kind], raw, at)
        read = {name: self.value(kind, inner, (*at, name)) for name, inner in raw.items()}
        return {name: value for name, value in read.items() if value is not WRONG}

    def _list(self, kind: Kind, raw: object, at: KeyPath) -> object:
        if not isinstance(raw, list):
            return self._wrong(tuple[kind, ...], raw, at)
        read = [self.value(kind, inner, (*at, place)) for place, inner in enumerate(raw)]
        return WRONG if WRONG in read else tuple(read)

    def _unit(self, kind: type[Duration | Size], raw: object, at: KeyPath) -> object:
        if kind is Duration and raw == 0 and type(raw) is int:
            return Duration(0)  # the one number that needs no unit
        try:
            return kind.parse(raw) if isinstance(raw, str) else self._wrong(kind, raw, at)
        except UnitError as error:
            return self._note(at, f"found {shown(raw)}, {error.message}")

    def _plain(self, kind: Kind, raw: object, at: KeyPath) -> object:
        if origin_of(kind) is Literal:
            return raw if raw in get_args(kind) else self._wrong(kind, raw, at)
        if kind is float and type(raw) is int:
            return float(raw)
        if type(raw) is not kind:  # a bool is an int for isinstance
            return self._wrong(kind, raw, at)
        if isinstance(raw, str) and "\0" in raw:
            return self._note(at, "found a NUL character, which no program can be given")
        return raw

    def _wrong(self, kind: Kind, raw: object, at: KeyPath) -> object:
        return self._note(at, f"found {shown(raw)}, allowed is {words(kind)}")

    def _note(self, at: KeyPath, says: str) -> object:
        self.problems.append(Problem(at, says))
        return WRONG

    def _unknown_key(self, name: str, at: KeyPath, known: list[str]) -> Problem:
        meant = get_close_matches(name, known, 1, _NEAR)
        path = (*at, name)
        return Problem(path, self._unknown(name, at, known), tuple((*at, key) for key in meant))

    def _unknown(self, name: str, at: KeyPath, known: list[str]) -> str:
        here = tuple(str(part) for part in at)
        if any(_fits_path((*here, name), key.path) for key in self.others):
            return f"belongs into {self.other_file}"
        if near := get_close_matches(name, known, 1, _NEAR):
            return f"no such key; did you mean `{near[0]}`?"
        if tables := _tables_of(name, self.keys):
            return f"belongs into {tables}"
        if tables := _tables_of(name, self.others):
            return f"belongs into {tables} of {self.other_file}"
        place = f"in [{dotted(at)}]" if at else "at the top of the file"
        return f"no such key; allowed {place} are {', '.join(known)}"


def shown(raw: object) -> str:
    """A value as TOML writes it, for a message."""
    if isinstance(raw, dict | list):
        return "a table" if isinstance(raw, dict) else "a list"
    text = json.dumps(raw, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _fits_path(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    pairs = zip(path, pattern, strict=False)
    return len(path) == len(pattern) and all(p in (NAME, part) for part, p in pairs)


def _tables_of(name: str, keys: tuple[Key, ...]) -> str:
    tables = sorted({key.table for key in keys if key.path[-1] == name and key.table})
    return " or ".join(tables) if len(tables) <= _FEW else ""
