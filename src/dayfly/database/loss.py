"""What a migration takes away, so that it can be exported before: columns, or whole rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Of one table, under the names of before."""

    schema: str
    table: str
    columns: tuple[str, ...] | None = None  # None: whole rows

    def as_json(self) -> dict[str, Any]:
        columns = None if self.columns is None else list(self.columns)
        return {"schema": self.schema, "table": self.table, "columns": columns}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Loss":
        columns = value["columns"]
        return cls(
            schema=value["schema"],
            table=value["table"],
            columns=None if columns is None else tuple(columns),
        )


def merged(losses: Iterable[Loss]) -> tuple[Loss, ...]:
    """One for each table; whole rows contain every column."""
    found: dict[tuple[str, str], Loss] = {}
    for loss in losses:
        place = (loss.schema, loss.table)
        found[place] = _both(found[place], loss) if place in found else loss
    return tuple(found.values())


def _both(one: Loss, other: Loss) -> Loss:
    columns = None
    if one.columns is not None and other.columns is not None:
        columns = tuple(dict.fromkeys((*one.columns, *other.columns)))
    return Loss(schema=one.schema, table=one.table, columns=columns)
