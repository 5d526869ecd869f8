"""Who sends the statements of a migration."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dayfly.database.program import Program, program


@dataclass(frozen=True, kw_only=True)
class Sender:
    """A program may decide by the rows that it reads what it sends next; a file of SQL cannot."""

    decides: bool = True
    programs: Mapping[str, Program] = field(default_factory=dict)  # of migrations, by their names


PROGRAM, FILES = Sender(), Sender(decides=False)


def sender(texts: Mapping[str, str]) -> Sender:
    """Of migrations whose texts are at hand, or of which nothing is known."""
    read = {name: program(text) for name, text in texts.items()}
    return Sender(programs={name: found for name, found in read.items() if found})
