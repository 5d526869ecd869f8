"""Bridges in the words of a test: the three verbs, and an outgoing release that inserts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from dayfly.clock import Stop, wait_until
from dayfly.database.bridge import Bridge
from dayfly.database.bridging import drop, guard, keep

BUDGET = 1.0


def guarded(url: str, bridges: list[Bridge]) -> None:
    guard(url, bridges, budget=BUDGET, stop=Stop(), tell=print)


def kept(url: str, bridges: list[Bridge]) -> None:
    keep(url, bridges, budget=BUDGET, stop=Stop(), tell=print)


def dropped(url: str, bridges: list[Bridge]) -> None:
    drop(url, bridges, budget=BUDGET, stop=Stop(), tell=print)


@dataclass
class Load:
    """The outgoing release: a session with prepared statements, one without, and new ones."""

    url: str
    insert: str
    done: int = 0
    failed: list[str] = field(default_factory=list)

    def more(self) -> None:
        """Waits until each kind of session has inserted after this moment."""
        wanted = self.done + 8
        wait_until(lambda: self.done >= wanted, seconds=20, what="inserts go on")

    def run(self, ended: threading.Event) -> None:
        with (
            psycopg.connect(self.url, autocommit=True, prepare_threshold=0) as prepared,
            psycopg.connect(self.url, autocommit=True, prepare_threshold=None) as plain,
        ):
            while not ended.wait(0.002):
                self._try(prepared)
                self._try(plain)
                with psycopg.connect(self.url, autocommit=True) as fresh:
                    self._try(fresh)

    def _try(self, session: psycopg.Connection) -> None:
        self.done += 1
        try:
            session.execute(self.insert.encode())
        except psycopg.Error as error:
            self.failed.append(f"{error.sqlstate}: {error}")


@contextmanager
def inserting(url: str, insert: str) -> Iterator[Load]:
    load, ended = Load(url, insert), threading.Event()
    thread = threading.Thread(target=load.run, args=(ended,))
    thread.start()
    try:
        load.more()
        yield load
    finally:
        ended.set()
        thread.join()
