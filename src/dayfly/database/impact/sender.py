"""Who sends the statements of a migration."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Sender:
    """A program may decide by the rows that it reads what it sends next; a file of SQL cannot."""

    decides: bool = True


PROGRAM, FILES = Sender(), Sender(decides=False)
