"""A catalogue kept in a file, and read again."""

from typing import Any

import msgspec

from dayfly import typed
from dayfly.database.impact.schema import catalogue
from dayfly.database.impact.schema.catalogue import Catalogue, Thing

_KINDS: tuple[type[Thing], ...] = (
    catalogue.Schema, catalogue.Relation, catalogue.Column, catalogue.Constraint,
    catalogue.Index, catalogue.Trigger, catalogue.Policy, catalogue.Rule, catalogue.Routine,
    catalogue.Type,
)  # fmt: skip


def written(what: Catalogue) -> bytes:
    return msgspec.json.encode({kind.__name__: list(what.of(kind)) for kind in _KINDS})


def read(text: bytes) -> Catalogue:
    found: dict[str, list[Any]] = typed.plain(text)
    things = [typed.converted(one, kind) for kind in _KINDS for one in found[kind.__name__]]
    return Catalogue({thing.key: thing for thing in things})
