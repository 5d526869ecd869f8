"""What production's catalogue knows of its rows, beside how many there are."""

from collections.abc import Mapping
from dataclasses import dataclass, field

GUESSED_ROW_BYTES = 100.0


@dataclass(frozen=True, kw_only=True)
class Values:
    """Of one column, as ANALYZE found them."""

    width: int  # bytes in the row itself
    distinct: float  # below 0: a share of the rows


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of one table; without any its rows are narrow, and nobody knows what is in them."""

    width: float = GUESSED_ROW_BYTES  # bytes of a row in the table's file
    beside: float = 0.0  # and of what is stored outside of it, being long
    values: Mapping[str, Values] = field(default_factory=dict)

    @property
    def bytes(self) -> float:
        return self.width + self.beside
