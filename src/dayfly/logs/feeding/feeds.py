"""All feeds of a store, each in a thread of its own."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from dayfly.clock import Stop
from dayfly.durable import translated
from dayfly.errors import DayflyError, StoppedError
from dayfly.logs.feeding.feed import Feeding
from dayfly.logs.feeding.settings import load
from dayfly.logs.store.store import MOST_SEQUENCE, Store

FOLDER = "feeds"  # of positions, and of what was refused
SOON_SECONDS, ENDING_SECONDS = 5.0, 10.0
log = logging.getLogger(__name__)


class Feeds:
    """Read from the folder of a log server; the store must know what is `still_needed`."""

    def __init__(self, folder: Path) -> None:
        home = folder / FOLDER
        found = load(folder)
        if found:
            with translated(home):
                home.mkdir(exist_ok=True, mode=0o700)
        self.feeds = [Feeding(feed, home) for feed in found]

    def still_needed(self) -> int:
        """From this frame of the write-ahead log on, there is a feed that has not sent it."""
        return min((each.position.after + 1 for each in self.feeds), default=MOST_SEQUENCE)

    @contextmanager
    def running(self, store: Store) -> Iterator[None]:
        stop = Stop()
        threads = [
            threading.Thread(
                target=_kept_going, args=(each, store, stop), name=f"feed {each.feed.name}"
            )
            for each in self.feeds
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.request("the log server ends")
            for thread in threads:
                thread.join(ENDING_SECONDS)

    def routes(self) -> list[BaseRoute]:
        return [Route("/feeds", self._told, methods=["GET"])]

    async def _told(self, _: Request) -> Response:
        return JSONResponse([each.told() for each in self.feeds])


def _kept_going(feeding: Feeding, store: Store, stop: Stop) -> None:
    """What goes wrong in a feed ends nothing but its round."""
    with suppress(StoppedError):
        while True:
            try:
                feeding.run(store.log, lambda: store.durable, stop)
            except StoppedError:
                raise
            except DayflyError as error:
                feeding.problem = error.message
                log.warning("feed %s: %s", feeding.feed.name, error.message)
            except Exception as error:
                feeding.problem = f"a defect in Dayfly: {type(error).__name__}: {error}"
                log.exception("feed %s", feeding.feed.name)
            stop.wait(SOON_SECONDS)
