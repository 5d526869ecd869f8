"""What a files page is about. Its address holds all of it: a key may be any text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urlencode

from dayfly.shown import plain

PATH = "/files"
_SPACE = "\\x20"


@dataclass(frozen=True, kw_only=True)
class Folder:
    """Keys of a bucket that begin alike; `after` is where a page of them goes on."""

    bucket: str
    prefix: str = ""
    after: str = ""

    @classmethod
    def of(cls, told: Mapping[str, str]) -> Self:
        return cls(
            bucket=told.get("bucket", ""),
            prefix=told.get("prefix", ""),
            after=told.get("after", ""),
        )

    def address(self, what: str = "", **more: str) -> str:
        told = {"bucket": self.bucket, "prefix": self.prefix, "after": self.after} | more
        given = {name: text for name, text in told.items() if text}
        return f"{PATH}{what and f'/{what}'}?{urlencode(given, quote_via=quote)}"

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """The folders above and this one: how each is shown, and its address."""
        parts = self.prefix.split("/")[:-1]
        above = ["/".join(parts[: n + 1]) + "/" for n in range(len(parts))]
        names = [seen(part) for part in parts]
        addresses = [Folder(bucket=self.bucket, prefix=prefix).address() for prefix in above]
        return [
            (self.bucket, Folder(bucket=self.bucket).address()),
            *zip(names, addresses, strict=True),
        ]

    @property
    def begins(self) -> str:
        """What keys begin with, beyond the last slash."""
        return self.prefix.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True)
class Thing:
    """An object, or one version of it."""

    bucket: str
    key: str
    version: str = ""

    @classmethod
    def of(cls, told: Mapping[str, str]) -> Self:
        return cls(
            bucket=told.get("bucket", ""),
            key=told.get("key", ""),
            version=told.get("version", ""),
        )

    def address(self, what: str = "object", **more: str) -> str:
        told = {"bucket": self.bucket, "key": self.key, "version": self.version} | more
        given = {name: text for name, text in told.items() if text}
        return f"{PATH}/{what}?{urlencode(given, quote_via=quote)}"

    @property
    def name(self) -> str:
        """As it is shown in its folder."""
        return seen(self.key.rpartition("/")[2])

    @property
    def folder(self) -> Folder:
        head, slash, _ = self.key.rpartition("/")
        return Folder(bucket=self.bucket, prefix=head + slash)

    @property
    def file(self) -> str:
        """What it is called when it is saved."""
        parts = [plain(part) for part in self.key.split("/")]
        return next((part for part in reversed(parts) if part.strip(". ")), "object")


def seen(name: str) -> str:
    """With signs for what cannot be seen, so that no two keys look alike."""
    if not name:
        return "(no name)"
    text = "".join(_shown(letter) for letter in name)
    begin, end = len(text) - len(text.lstrip(" ")), len(text.rstrip(" "))
    return _SPACE * begin + text[begin:end] + _SPACE * (len(text) - max(end, begin))


def _shown(letter: str) -> str:
    if letter in "\t\n\\" or plain(letter) != letter:
        return letter.encode("unicode_escape").decode()
    return letter
