"""Encodings: a copy has production's, so what that has no sign for is refused on the copy too."""

import re
from contextlib import suppress
from dataclasses import dataclass

from psycopg import Connection, NotSupportedError, sql

UTF8, ANY = "UTF8", "SQL_ASCII"  # the latter takes whatever bytes come
_OWN = "SELECT pg_encoding_to_char(encoding)::text FROM pg_database WHERE datname = 'template0'"
_SERVERS = re.compile(
    r"character with byte sequence (?P<bytes>0x[0-9a-f]{2}(?: 0x[0-9a-f]{2})*) in encoding "
    r'"UTF8" has no equivalent in encoding "(?P<encoding>\w+)"'
)
_PYTHONS = re.compile(
    r"UnicodeEncodeError: '[\w-]+' codec can't encode characters? "
    r"(?:'\\[xuU](?P<code>[0-9a-f]+)')?"
)


@dataclass(frozen=True)
class Lacking:
    """What an encoding has no sign for."""

    encoding: str
    sign: str  # empty where nobody says which

    def __str__(self) -> str:
        what = f"{self.sign!r}" if self.sign else "some of its text"
        return f"{self.encoding}, the encoding of the database, has no sign for {what}"

    @property
    def remedy(self) -> str:
        return f"Write it with what {self.encoding} can hold, or move the database to UTF8."


def clause(connection: Connection, encoding: str) -> sql.Composed:
    """For CREATE DATABASE from template0; empty where that has the encoding."""
    row = connection.execute(_OWN).fetchone()
    if row and row[0] == encoding:
        return sql.Composed([])
    return sql.SQL(" ENCODING {} LC_COLLATE 'C' LC_CTYPE 'C'").format(encoding)


def codec_of(connection: Connection) -> str:
    """Python's name of the database's own encoding, in which its server writes the log."""
    own = connection.info.parameter_status("server_encoding") or UTF8
    with suppress(NotSupportedError):  # Python has none of that name
        connection.execute(sql.SQL("SET client_encoding = {}").format(own))
        if own != ANY:
            return connection.info.encoding
    return "utf-8"


def lacking(words: str, encoding: str = "") -> Lacking | None:
    """What the server, or Python before it asks one in `encoding`, refuses with these words."""
    if found := _SERVERS.search(words):
        sign = bytes(int(one, 16) for one in found["bytes"].split()).decode(errors="replace")
        return Lacking(found["encoding"], sign)
    if encoding in ("", UTF8, ANY):
        return None
    if found := _PYTHONS.search(words):
        return Lacking(encoding, chr(int(found["code"], 16)) if found["code"] else "")
    return None
