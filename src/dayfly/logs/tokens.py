"""Tokens of senders: good for sending records and for nothing else, kept as hashes."""

import base64
import hashlib
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from dayfly.durable import locked, write_atomically
from dayfly.errors import DayflyError
from dayfly.stored import read_json

Scope = Literal["logs:write"]
FILE = "tokens.json"


class TokenError(DayflyError):
    """A token can't be made or revoked."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """`sha256` suffices, since a token is random and long."""

    name: str
    scope: Scope
    sha256: str
    created: float  # seconds since the epoch


@dataclass
class Tokens:
    """Those of a log store's folder; made by one process, read by the other one."""

    folder: Path
    _known: frozenset[str] = frozenset()
    _version: tuple[int, int] | None = field(default=None)

    def create(self, name: str, scope: Scope) -> str:
        """The token, which nobody can read anywhere afterwards."""
        token = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
        with locked(self.folder / "tokens.lock"):
            found = self.all()
            if any(each.name == name for each in found):
                raise TokenError(
                    f"there is a token {name} already",
                    hint=f"`dayfly token revoke {name}` takes it back, or choose another name.",
                )
            made = Token(name=name, scope=scope, sha256=_hash(token), created=time.time())
            self._write((*found, made))
        return token

    def revoke(self, name: str) -> None:
        with locked(self.folder / "tokens.lock"):
            found = self.all()
            left = tuple(each for each in found if each.name != name)
            if len(left) == len(found):
                known = ", ".join(each.name for each in found) or "none"
                raise TokenError(f"there is no token {name}", hint=f"Known are: {known}.")
            self._write(left)

    def all(self) -> tuple[Token, ...]:
        return read_json(self.folder / FILE, tuple[Token, ...], absent=())

    def knows(self, shown: str) -> bool:
        """Whether this is one of them; a revoked one is not from the next request on."""
        version = self._stamp()
        if version != self._version:
            self._known = frozenset(each.sha256 for each in self.all())
            self._version = version
        return bool(shown) and _hash(shown) in self._known

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = (self.folder / FILE).stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino

    def _write(self, tokens: tuple[Token, ...]) -> None:
        write_atomically(self.folder / FILE, msgspec.json.encode(tokens))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
