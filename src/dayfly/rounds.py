"""Something that is looked after again and again, in a thread of its own."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from dayfly.clock import Stop
from dayfly.errors import DayflyError, StoppedError

log = logging.getLogger(__name__)


class Rounds:
    """Calls a function every so many seconds until closed.

    What goes wrong in a round is logged once, however long it lasts; the next round tries again.
    """

    def __init__(self, name: str, seconds: float, one: Callable[[], None]) -> None:
        self._name = name
        self._seconds = seconds
        self._one = one
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.stop = Stop()  # what a long round waits with, so that `close` need not

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End after the round under way."""
        self.stop.request(f"{self._name} ends")
        self._thread.join()

    def _run(self) -> None:
        told = ""
        while not self.stop.requested:
            problem = self._problem_of_one()
            if problem and problem != told:
                log.warning("%s: %s", self._name, problem)
            told = problem
            with suppress(StoppedError):
                self.stop.wait(self._seconds)

    def _problem_of_one(self) -> str:
        try:
            self._one()
        except StoppedError:
            return ""
        except DayflyError as error:
            return f"{error.message} {error.hint}".strip()
        except Exception as error:  # the edge of this thread: nobody else would go on
            log.exception("%s", self._name)
            return f"{type(error).__name__}: {error}"
        return ""
