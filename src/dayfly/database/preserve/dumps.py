"""Two texts of pg_dump compared, for what no question of ours asks about."""

import re
from collections import Counter

from dayfly.database.preserve.entries import entries_of

_WORD = re.compile(r"[^\s,();]+")
_Made = Counter[tuple[str, ...]]


def otherwise(before: str, now: str) -> tuple[str, ...]:
    """What pg_dump writes otherwise, in words; the order of things, columns, options is nothing."""
    old, new = _taken_apart(before), _taken_apart(now)
    return tuple(
        f"pg_dump does not write the {kind.lower()} {name} as before"
        for kind, name in dict.fromkeys((*old, *new))
        if old.get((kind, name)) != new.get((kind, name))
    )


def _taken_apart(dump: str) -> dict[tuple[str, str], _Made]:
    found: dict[tuple[str, str], _Made] = {}
    for entry in entries_of(dump).all:
        schema = "" if entry.schema in ("", "public") else f"{entry.schema}."
        made = found.setdefault((entry.kind, f"{schema}{entry.name}"), Counter())
        for statement in entry.statements:
            made.update(tuple(sorted(_WORD.findall(line))) for line in statement.splitlines())
    return found
