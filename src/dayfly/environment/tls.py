"""New and renewed certificates reach HAProxy by themselves, without a reload."""

import logging
import threading
from pathlib import Path

from dayfly.balancer.balancer import Balancer
from dayfly.clock import Stop
from dayfly.errors import DayflyError, StoppedError

LOOK_SECONDS = 2.0

log = logging.getLogger(__name__)


class CertificateWatch:
    """Looks at the folder of PEM files; what changed there is given to HAProxy."""

    def __init__(self, balancer: Balancer, folder: Path) -> None:
        self._balancer = balancer
        self._folder = folder
        self._stop = Stop()
        self._thread = threading.Thread(target=self._run, name="certificates", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.request("the server ends")
        self._thread.join()

    def _run(self) -> None:
        seen = self._listed()
        while True:
            try:
                self._stop.wait(LOOK_SECONDS)
            except StoppedError:
                return
            now = self._listed()
            if now != seen:
                self._take_in()
                seen = now

    def _take_in(self) -> None:
        try:
            log.info("certificates: %s", self._balancer.reload_certificates())
        except DayflyError as error:
            log.warning("certificates: %s", error.message)

    def _listed(self) -> list[tuple[str, int, int]]:
        found = []
        for path in self._folder.glob("*"):
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue  # being replaced just now
            found.append((path.name, stat.st_mtime_ns, stat.st_size))
        return sorted(found)
