"""What a schema says besides its catalogue: comments, statistics, storage, settings, owners.

They are read with the SQL that makes them so, or takes them away.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import psycopg
from psycopg import Connection

from dayfly import typed
from dayfly.database.preserve.detailing import ORDER, QUESTIONS

_SHOWN = 120  # of what it says


@dataclass(frozen=True, kw_only=True)
class Detail:
    what: str  # in words, one for each
    says: str
    sets: str  # SQL; empty where none makes it so
    unsets: str = ""  # SQL that takes it away
    firm: bool = False  # who may do what hangs on it


def details(connection: Connection[Any]) -> tuple[Detail, ...]:
    """Names are written with their schema. Within a transaction, whose search_path is kept."""
    before = connection.execute("SELECT current_setting('search_path')").fetchone()
    connection.execute("SET LOCAL search_path = ''")
    found = [
        Detail(what=row[0], says=row[1], sets=row[2], unsets=row[3], firm=firm)
        for question, firm in QUESTIONS
        for row in connection.execute(question.encode())
    ]
    connection.execute("SELECT set_config('search_path', %s, true)", before)
    return tuple(found)


def written(found: Iterable[Detail]) -> bytes:
    return msgspec.json.encode(list(found))


def read(text: bytes) -> tuple[Detail, ...]:
    return typed.decode(text, tuple[Detail, ...])


def other(before: Iterable[Detail], now: Iterable[Detail]) -> Iterator[tuple[Detail, str]]:
    """What is not as it was, and the SQL that would make it so."""
    there, known = {each.what: each for each in now}, set[str]()
    for old in before:
        known.add(old.what)
        new = there.get(old.what)
        if new is None or new.says != old.says:
            yield old, old.sets
    for what, new in there.items():
        if what not in known and new.unsets:
            yield new, new.unsets


def settled(connection: Connection[Any], before: tuple[Detail, ...]) -> tuple[str, ...]:
    """The SQL that was run; what the server refuses is passed over, and told by `unlike`."""
    wanted = [statement for _, statement in other(before, details(connection)) if statement]
    return tuple(statement for statement in wanted if _done(connection, statement))


def unlike(before: tuple[Detail, ...], now: tuple[Detail, ...]) -> tuple[str, ...]:
    """What is not as it was, in words."""
    said = {each.what: each.says for each in now}
    found = []
    for detail, _ in other(before, now):
        was = detail.says if detail in before else "not there"
        has = said.get(detail.what, "not there")
        found.append(f"{shown(detail)} is {_short(has)}, it was {_short(was)}{_meaning(detail)}")
    return tuple(found)


def reordered(before: Iterable[Detail], now: Iterable[Detail]) -> tuple[str, ...]:
    """The tables, with their schema."""
    whats = (each.what for each, _ in other(before, now))
    return tuple(what.removeprefix(ORDER) for what in whats if what.startswith(ORDER))


def shown(detail: Detail) -> str:
    return detail.what.replace(" public.", " ")


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]} …"


def _meaning(detail: Detail) -> str:
    ordered = detail.what.startswith(ORDER)
    return ": statements without a column list change their meaning" if ordered else ""


def _done(connection: Connection[Any], statement: str) -> bool:
    try:
        with connection.transaction():
            connection.execute(statement.encode())
    except psycopg.OperationalError:
        raise
    except psycopg.Error:
        return False
    return True
