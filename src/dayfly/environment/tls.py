"""New and renewed certificates reach HAProxy by themselves, without a reload."""

import logging
from contextlib import suppress
from pathlib import Path

from dayfly.balancer.balancer import Balancer
from dayfly.rounds import Rounds

LOOK_SECONDS = 2.0

log = logging.getLogger(__name__)


class CertificateWatch:
    """Looks at the folder of PEM files; what changed there is given to HAProxy."""

    def __init__(self, balancer: Balancer, folder: Path) -> None:
        self._balancer = balancer
        self._folder = folder
        self._seen = self._listed()
        self._rounds = Rounds("certificates", LOOK_SECONDS, self.round)

    def start(self) -> None:
        self._rounds.start()

    def close(self) -> None:
        self._rounds.close()

    def round(self) -> None:
        now = self._listed()
        if now != self._seen:
            log.info("certificates: %s", ", ".join(self._balancer.reload_certificates()))
            self._seen = now

    def _listed(self) -> list[tuple[str, int, int]]:
        found = []
        for path in self._folder.glob("*"):
            with suppress(FileNotFoundError):  # being replaced just now
                stat = path.stat()
                found.append((path.name, stat.st_mtime_ns, stat.st_size))
        return sorted(found)
