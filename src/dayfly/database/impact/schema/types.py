"""Which change of a column's type takes every old value, and gives every old value back."""

import re

_WHOLE = ("smallint", "integer", "bigint")
_AS_LONG = ("bit", "vector", "halfvec", "sparsevec")  # a value of another length is refused
_LETTERS = ("character", "character varying", "text")


def _parts(name: str) -> tuple[str, tuple[int, ...]]:
    """`numeric(10,2)` as its base and its numbers."""
    found = re.fullmatch(r"([^(]+?)(?:\(([\d, -]+)\))?( with(?:out)? time zone)?((?:\[\])*)", name)
    if found is None:
        return name, ()
    base = found[1] + (found[3] or "") + found[4]
    return base, tuple(int(number) for number in (found[2] or "").split(",") if number)


def widens(old: str, new: str) -> bool:
    """Whether a program that knows the old type goes on working with the new one."""
    (old_base, had), (new_base, has) = _parts(old), _parts(new)
    if old_base in _WHOLE and new_base in _WHOLE:
        return _WHOLE.index(old_base) <= _WHOLE.index(new_base)
    if old_base == "numeric" == new_base:
        return _numeric_widens(had, has)
    if (old_base, new_base) in (("real", "double precision"), ("character varying", "text")):
        return True
    if (old_base, new_base) == ("text", "character varying"):
        return not has
    if old_base in _AS_LONG:
        return old == new
    return old_base == new_base and (not has or (bool(had) and has[0] >= had[0]))


def _numeric_widens(had: tuple[int, ...], has: tuple[int, ...]) -> bool:
    if not has or not had:
        return not has
    whole = has[0] - sum(has[1:]) >= had[0] - sum(had[1:])
    return whole and sum(has[1:]) >= sum(had[1:])


def keeps_values(old: str, new: str) -> bool:
    """Whether each value survives or the change fails: nothing is cut, rounded or forgotten.

    Of json, jsonb forgets keys that come twice, the order of keys and how it was written.
    """
    (old_base, _), (new_base, has) = _parts(old), _parts(new)
    if old_base.endswith("[]") and new_base.endswith("[]") and not has:
        return keeps_values(old.removesuffix("[]"), new.removesuffix("[]"))
    if widens(old, new) or (old_base in _WHOLE and new_base in (*_WHOLE, *_LETTERS[1:], "numeric")):
        return True
    return old_base in _LETTERS[1:] and new_base in _LETTERS[1:]


def length(name: str) -> int | None:
    """Of character varying(30)."""
    base, numbers = _parts(name)
    return numbers[0] if base in _LETTERS and numbers else None


def bounds(name: str) -> tuple[int, int] | None:
    """The smallest and the largest whole number of a type."""
    bits = {"smallint": 15, "integer": 31, "bigint": 63}.get(name)
    return None if bits is None else (-(2**bits), 2**bits - 1)


def is_text(name: str) -> bool:
    return _parts(name)[0] in (*_LETTERS, "citext")
