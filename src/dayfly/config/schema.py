"""Which keys a settings file may have, taken from the frozen values themselves."""

import types
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

from dayfly.config.units import Duration, Size

Kind: TypeAlias = Any  # a type, as the hints of a dataclass write it
NAME = "NAME"  # stands for any name in a path: process.NAME.machines
_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    Duration: Duration.ALLOWED,
    Size: Size.ALLOWED,
}


@dataclass(frozen=True)
class Key:
    path: tuple[str, ...]
    kind: Kind
    default: object  # MISSING when the key is required

    @property
    def table(self) -> str:
        """The table it stands in, as a header is written; empty at the top of the file."""
        return f"[{'.'.join(self.path[:-1])}]" if self.path[1:] else ""


def keys_of(kind: Kind, at: tuple[str, ...] = ()) -> Iterator[Key]:
    """Every key below a settings value, tables included, in the order of the fields."""
    hints = get_type_hints(kind)
    for field in fields(kind):
        key = Key((*at, field.name), without_none(hints[field.name]), _default(field))
        yield key
        if is_dataclass(key.kind):
            yield from keys_of(key.kind, key.path)
        elif origin_of(key.kind) is dict and is_dataclass(get_args(key.kind)[1]):
            yield from keys_of(get_args(key.kind)[1], (*key.path, NAME))
        elif origin_of(key.kind) is tuple and is_dataclass(get_args(key.kind)[0]):
            yield from keys_of(get_args(key.kind)[0], key.path)


def words(kind: Kind) -> str:
    """What is allowed for a value of this kind."""
    origin = origin_of(kind)
    if origin is Literal:
        return " or ".join(f'"{choice}"' for choice in get_args(kind))
    if origin is tuple:
        return "a list of tables" if is_dataclass(get_args(kind)[0]) else "a list of texts"
    if origin is dict and get_args(kind)[1] is str:
        return "a table of texts"
    return _WORDS.get(kind, "a table")


def origin_of(kind: Kind) -> object:
    """What a kind with parameters is made of: dict, tuple, Literal; else None."""
    return get_origin(kind)


def without_none(kind: Kind) -> Kind:
    """The kind of a key that may be left out; TOML has no null to write."""
    if origin_of(kind) is types.UnionType:
        return next(option for option in get_args(kind) if option is not types.NoneType)
    return kind


def _default(field: Field[Any]) -> object:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default
