"""Something that is looked after again and again, in a thread of its own."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from dayfly.clock import Stop
from dayfly.errors import DayflyError, StoppedError

log = logging.getLogger(__name__)


class Told:
    """Problems by what they are about; each is logged once, however long it lasts."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.problems: dict[str, str] = {}

    def guard(self, about: str, one: Callable[[], None]) -> None:
        """Call a function; what goes wrong in it ends nothing but itself. A stop goes on up."""
        try:
            one()
        except StoppedError:
            raise
        except DayflyError as error:
            self._tell(about, f"{error.message} {error.hint}".strip())
        except Exception as error:  # noqa: BLE001 - a thread's edge: it has to go on with the rest
            self._tell(about, f"a defect in Dayfly: {type(error).__name__}: {error}", error)
        else:
            self.problems.pop(about, None)

    def _tell(self, about: str, problem: str, defect: Exception | None = None) -> None:
        if problem != self.problems.get(about):
            log.warning("%s: %s: %s", self._name, about, problem, exc_info=defect)
        self.problems[about] = problem


class Rounds:
    """Calls a function every so many seconds until closed, whatever goes wrong in a round."""

    def __init__(self, name: str, seconds: float, one: Callable[[], None]) -> None:
        self._seconds = seconds
        self._one = one
        self._told = Told(name)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.stop = Stop()  # what a long round waits with, so that `close` need not
        self._woken = threading.Event()

    def start(self) -> None:
        self._thread.start()

    def soon(self) -> None:
        """Begin the next round at once, or as soon as the one under way has ended."""
        self._woken.set()

    def close(self) -> None:
        """End after the round under way."""
        self.stop.request(f"{self._thread.name} ends")
        self._woken.set()
        self._thread.join()

    def _run(self) -> None:
        while not self.stop.requested:
            with suppress(StoppedError):
                self._told.guard("a round", self._one)
            self._woken.wait(self._seconds)
            self._woken.clear()
