"""The text of pg_dump, taken apart into the things it makes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dayfly.database.sqltext import split

_HEAD = re.compile(
    r"^--\n-- (?:Data for )?Name: (?P<name>.*); Type: (?P<kind>[A-Z ]+); "
    r"Schema: (?P<schema>.*?); Owner: .*\n--\n",
    re.MULTILINE,
)
_SETTING = re.compile(r"(?:SET|RESET)\s|SELECT pg_catalog\.set_config", re.IGNORECASE)
_COLLATION = re.compile(r'\sCOLLATE ((?:"(?:[^"]|"")+"|[\w$]+)(?:\.(?:"(?:[^"]|"")+"|[\w$]+))?)')

_GENERATION = re.compile(r"GENERATED ALWAYS AS \(.*\) STORED")


@dataclass(frozen=True)
class Entry:
    """One thing: its kind and name as pg_dump writes them, and what makes it."""

    kind: str
    schema: str
    name: str
    statements: tuple[str, ...]


@dataclass(frozen=True)
class Entries:
    all: tuple[Entry, ...]

    def of(self, kind: str, schema: str, name: str) -> tuple[str, ...]:
        """The statements that make it; none where the dump lacks it."""
        found = [
            entry.statements
            for entry in self.all
            if (entry.kind, entry.schema, entry.name) == (kind, schema, name)
        ]
        return tuple(statement for statements in found for statement in statements)

    def collation(self, schema: str, table: str, column: str) -> str:
        """As the dump spells it, where a column has one of its own."""
        found = _COLLATION.search(self._line(schema, table, column))
        return found[1] if found else ""

    def generation(self, schema: str, table: str, column: str) -> str:
        """How a column is computed."""
        found = _GENERATION.search(self._line(schema, table, column))
        return found[0] if found else ""

    def _line(self, schema: str, table: str, column: str) -> str:
        """pg_dump gives each column one."""
        lines = (s.splitlines() for s in self.of("TABLE", schema, table))
        own = (line.strip() for each in lines for line in each)
        return next((line for line in own if line.startswith(f"{column} ")), "")


def entries_of(dump: str) -> Entries:
    heads = list(_HEAD.finditer(dump))
    ends = [*(head.start() for head in heads[1:]), len(dump)]
    return Entries(
        tuple(
            Entry(head["kind"], _schema(head["schema"]), head["name"], _made(dump[head.end() : at]))
            for head, at in zip(heads, ends, strict=False)
        )
    )


def _schema(written: str) -> str:
    return "" if written == "-" else written


def _made(text: str) -> tuple[str, ...]:
    return tuple(_kept(piece.text for piece in split(text)))


def _kept(statements: Iterable[str]) -> Iterable[str]:
    """Settings are for psql's session, and owners are told apart from what they own."""
    return (text for text in statements if not _SETTING.match(text))
