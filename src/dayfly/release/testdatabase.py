"""The throw-away database of the app's own tests; its server starts while the image is built."""

import logging
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from dayfly.clock import FOREVER, Stop, wait_until
from dayfly.database.programs import programs
from dayfly.release.work import Work

log = logging.getLogger(__name__)


class ThrowAwayDatabase:
    """A thread holds it from `start` to `end`; the URL can be had as soon as the server answers."""

    def __init__(self, folder: Path, postgresql: str | None) -> None:
        self._folder = folder
        self._postgresql = postgresql
        self._url = Future[str]()
        self._over = Event()
        self._thread = Thread(target=self._hold, name="test database")

    def start(self) -> None:
        self._thread.start()

    def url(self, stop: Stop) -> str:
        """DatabaseError when there is no server, with what it said."""
        wait_until(self._url.done, seconds=FOREVER, what="the throw-away database", stop=stop)
        return self._url.result()

    def end(self, *, wait: bool) -> None:
        """Stop the server and remove its data: before the return, or meanwhile."""
        self._over.set()
        if wait:
            self._thread.join()

    def _hold(self) -> None:
        from dayfly.database.scratch import scratch_server  # noqa: PLC0415 - its driver takes 25 MB

        try:
            found = programs(self._postgresql)
            with scratch_server(self._folder, found) as server, server.database() as url:
                self._url.set_result(url)
                self._over.wait()
        except Exception as error:  # whatever it is belongs to who waits for the URL
            if self._url.done():
                log.exception("ending the throw-away database")
            else:
                self._url.set_exception(error)


@contextmanager
def test_database(work: Work) -> Iterator[ThrowAwayDatabase | None]:
    """None when the app's tests want none. A release that goes on does not wait for its end."""
    if work.app.test is None or not work.app.test.database:
        yield None
        return
    database = ThrowAwayDatabase(work.parts.home.scratch, work.parts.settings.postgresql)
    database.start()
    good = False
    try:
        yield database
        good = True
    finally:
        database.end(wait=not good)
