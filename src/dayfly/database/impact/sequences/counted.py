"""From which number a migration lets a sequence go on, as far as its text tells."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from dayfly.database.impact.schema.catalogue import Catalogue, Column, Relation
from dayfly.database.impact.words import mentions

_FORWARD = ("max", "nextval", "last_value")  # what is set is worked out from what is there
_SETVAL = re.compile(
    r"""(?isx) \bsetval \s*\( (?: [^(),]+ | [^(),]* \( [^()]* \) (?: :: \w+ )? )
        , \s* '? (?P<number>-?\d+) '? (?: :: \w+ )? \s*
        (?: , \s* (?P<called>true|false) \s* )? \)"""
)
_RESTART = re.compile(r"(?i)\bRESTART\s+(?:WITH\s+)?'?(?P<number>-?\d+)")


@dataclass(frozen=True)
class Next:
    """The number that comes next; None where nobody can tell."""

    number: int | None = None
    forward: bool = False  # behind all that were given, whatever they are


def told(text: str, catalogue: Catalogue, sequence: Relation, column: Column | None) -> Next | None:
    """None where the text does not set it; `column` is what draws from it."""
    owner = catalogue.relation(column.table) if column else None
    by_table = owner is not None and mentions(text, owner.name)
    named = mentions(text, sequence.name)
    if mentions(text, "setval") and (
        named
        or (by_table and mentions(text, "pg_get_serial_sequence") and _alone(catalogue, sequence))
    ):
        return _set(text, catalogue, {sequence.name, *_names(catalogue, owner)})
    if mentions(text, "RESTART") and (named or by_table):
        found = _RESTART.search(text)
        return Next(int(found["number"]) if found else None)
    return None


def _alone(catalogue: Catalogue, sequence: Relation) -> bool:
    """Of several that a column owns, that of an old serial among them, it gives the oldest."""
    return catalogue.relation(sequence.oid) is None or not any(
        (each.parent, each.numbers) == (sequence.parent, sequence.numbers)
        for each in catalogue.of(Relation)
        if each.kind == "S" and each.oid != sequence.oid and sequence.parent
    )


def _set(text: str, catalogue: Catalogue, own: Collection[str]) -> Next:
    """Worked out from its own table or sequence, or from what the text does not name."""
    found = _SETVAL.search(text)
    if found:
        return Next(int(found["number"]) + (found["called"] or "true").lower().count("true"))
    if not any(mentions(text, word) for word in _FORWARD):
        return Next()
    named = [each.name for each in catalogue.of(Relation) if mentions(text, each.name)]
    others = [name for name in named if name not in own]
    source = [name for name in named if name in own and len(_all(text, name)) > _once(text, name)]
    return Next(forward=not others or bool(source))


def _all(text: str, name: str) -> list[str]:
    return re.findall(rf"(?i)(?<![\w$]){re.escape(name)}(?![\w$])", text)


def _once(text: str, name: str) -> int:
    """How often it is named only to say which sequence is set."""
    called = r"(?i)(?:setval|pg_get_serial_sequence)\s*\(\s*'[^']*"
    target = rf"{called}(?<![\w$]){re.escape(name)}(?![\w$])"
    return len(re.findall(target, text))


def _names(catalogue: Catalogue, owner: Relation | None) -> Iterator[str]:
    """Of the table, and of the sequences that its columns draw from."""
    if owner is not None:
        yield owner.name
        for each in catalogue.of(Relation):
            if each.kind == "S" and each.parent == owner.oid:
                yield each.name


def source(catalogue: Catalogue, column: Column, among: Collection[Relation]) -> Relation | None:
    """The sequence from which a column draws its numbers."""
    if "nextval" in column.default:
        named = [each for each in among if mentions(column.default, each.name)]
        owner = catalogue.relation(column.table)
        near = owner.schema if owner else ""
        return max(named, key=lambda each: _nearness(each, column.default, near), default=None)
    own = (each for each in among if each.of_identity and each.parent == column.table)
    return next((each for each in own if each.numbers == column.number), None)


def _nearness(sequence: Relation, default: str, near: str) -> tuple[bool, bool]:
    """Of several of one name that which is meant: with its schema, or in that of the table."""
    return mentions(default, f"{sequence.schema}.{sequence.name}"), sequence.schema == near
