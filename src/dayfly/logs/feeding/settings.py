"""Where records go on to, from one file beside the store: a list of feeds."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

import msgspec

from dayfly.durable import translated
from dayfly.errors import DayflyError
from dayfly.logs.query.parse import parse
from dayfly.logs.query.tree import Node
from dayfly.stored import read_json

SETTINGS = "feeds.json"
GB = 1024**3
Kind = Literal["elasticsearch", "splunk", "syslog"]
SCHEMES: dict[str, tuple[str, ...]] = {
    "elasticsearch": ("http", "https"),
    "splunk": ("http", "https"),
    "syslog": ("tcp", "tls"),
}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class FeedError(DayflyError):
    """A feed is not described as it should be."""


class Feed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    kind: Kind
    url: str  # https://HOST:PORT, of syslog tcp:// or tls://
    query: str = ""  # which records; everything when it is empty
    index: str = "dayfly"  # the beginning of the indices' names; of Splunk its index, "" its own
    user: str = ""  # of Basic; without one the secret is an API key, or Splunk's token
    secret_file: str = ""
    secret_name: str = ""  # of a file that has several, as one object of JSON
    ca_file: str = ""  # who may have signed the receiver's certificate; else the system's
    acknowledged: bool = False  # Splunk: wait until it has indexed, which its token must allow
    most_behind: int = 2 * GB  # of the write-ahead log kept for it; beyond, the oldest is given up

    def where(self) -> Node:
        return parse(self.query).where

    def address(self) -> SplitResult:
        return urlsplit(self.url)

    def secret(self) -> str:
        if not self.secret_file:
            return ""
        if self.secret_name:
            return _named(Path(self.secret_file), self.secret_name)
        with translated(Path(self.secret_file)):
            return Path(self.secret_file).read_text().strip()


def load(folder: Path) -> tuple[Feed, ...]:
    """None where there is no such file; FeedError names the feed and what is wrong with it."""
    feeds = read_json(folder / SETTINGS, tuple[Feed, ...], absent=())
    names = [feed.name for feed in feeds]
    for feed in feeds:
        _check(feed, names)
    return feeds


def _check(feed: Feed, names: list[str]) -> None:
    if not _NAME.fullmatch(feed.name):
        raise FeedError(f"{SETTINGS}: name: found {feed.name!r}, allowed are a-z, 0-9 and -")
    if names.count(feed.name) > 1:
        raise FeedError(f"{SETTINGS}: two feeds are called {feed.name}")
    for key, says in wrong(feed):
        raise FeedError(f"{SETTINGS}: {feed.name}: {key}: {says}")


def wrong(feed: Feed) -> Iterator[tuple[str, str]]:
    """Keys and what is wrong with them; QueryError where the query can't be read."""
    if not _is_address(feed):
        allowed = " or ".join(f"{scheme}://HOST:PORT" for scheme in SCHEMES[feed.kind])
        # What stands before an @ may be a password.
        found = "" if "@" in feed.url else f"found {feed.url!r}, "
        yield "url", f"{found}allowed is {allowed}"
    if parse(feed.query).pipes:
        yield "query", "found a `|`, allowed are conditions only"
    if feed.kind == "elasticsearch" and not _NAME.fullmatch(feed.index):
        yield "index", f"found {feed.index!r}, allowed are a-z, 0-9 and -"


def _is_address(feed: Feed) -> bool:
    try:
        address = feed.address()
        port = address.port
    except ValueError:
        return False
    known = address.scheme in SCHEMES[feed.kind] and address.hostname and "@" not in address.netloc
    return bool(known and (port or feed.kind != "syslog"))


def _named(file: Path, name: str) -> str:
    values = read_json(file, dict[str, str], absent={})
    if name not in values:
        raise FeedError(f"there is no secret {name} in {file.name}")
    return values[name]
