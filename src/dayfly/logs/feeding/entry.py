"""What goes on: a record with an identity that is the same whenever it is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dayfly.errors import DayflyError
from dayfly.logs.query.instants import iso
from dayfly.logs.query.meaning import ATTRIBUTES, value_of
from dayfly.logs.record import Record

TIME = "@timestamp"


class AgainError(DayflyError):
    """The receiver did not take it, or did not say so: to be sent again."""


class UntakenError(DayflyError):
    """The receiver will never take this as it is; a part of it, perhaps."""


@dataclass(frozen=True)
class Entry:
    id: str
    record: Record
    plain: bool = False  # its fields as one text: they do not fit those that were there before


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What of the entries is to be sent again, and what was refused for good, with the reason."""

    again: Sequence[Entry] = ()
    refused: Sequence[tuple[Entry, str]] = ()


class Receiver(Protocol):
    def deliver(self, entries: Sequence[Entry]) -> Outcome:
        """AgainError and UntakenError are about all of them."""
        ...

    def close(self) -> None: ...


def document(record: Record) -> dict[str, Any]:
    """What was told, flat; a field that is called as an attribute is gives way to it."""
    told = {
        name: value
        for name in ATTRIBUTES
        if name != "time" and (value := value_of(record, name)) is not None
    }
    return {**record.fields, TIME: iso(record.time), "message": record.message, **told}
