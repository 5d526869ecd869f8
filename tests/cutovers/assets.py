"""Somebody who has the page of a release open, and goes on asking for its hashed file."""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from production import Production

PAUSE_SECONDS = 0.05
PREFIX = "/assets/"


def asset(version: str) -> str:
    return f"{PREFIX}app.{version}.js"


@dataclass
class Visitor:
    """Asks with a connection for each request; `seen` counts statuses, 0 for no answer."""

    prod: Production
    path: str
    seen: Counter[int] = field(default_factory=Counter)
    over: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> int:
        with closing(http.client.HTTPConnection("127.0.0.1", self.prod.http, timeout=10)) as wire:
            try:
                wire.request("GET", self.path)
                return wire.getresponse().status
            except (OSError, http.client.HTTPException):
                return 0

    def so_far(self) -> Counter[int]:
        return self.seen.copy()

    def stay(self) -> None:
        while not self.over.is_set():
            self.seen[self.ask()] += 1
            time.sleep(PAUSE_SECONDS)


@contextmanager
def visited(prod: Production, version: str) -> Iterator[Visitor]:
    """A visitor of this version while the block runs."""
    visitor = Visitor(prod, asset(version))
    thread = threading.Thread(target=visitor.stay, daemon=True)
    thread.start()
    try:
        yield visitor
    finally:
        visitor.over.set()
        thread.join()
