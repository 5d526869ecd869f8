"""From the spool into the store: one batch of a file after the other, again until it is in."""

import logging
import random

from dayfly.clock import Stop
from dayfly.errors import DayflyError
from dayfly.logs.forwarder.ledger import Ledger
from dayfly.logs.forwarder.spool import Batch
from dayfly.logs.forwarder.transport import RefusedError, Send, SendError

SOONEST, LATEST = 0.2, 30.0  # seconds until a batch is sent again
log = logging.getLogger(__name__)


class Sender:
    """Call `run` in a thread of its own; it ends when a stop is requested."""

    def __init__(self, ledger: Ledger, send: Send, *, poll: float = 0.2) -> None:
        self._ledger = ledger
        self._send = send
        self._poll = poll
        self._failures = 0

    def run(self, stop: Stop) -> None:
        while not stop.requested:
            sent = self._round(stop)
            pause = self.pause() if self._failures else 0 if sent else self._poll
            if pause:
                stop.wait(pause)

    def pause(self) -> float:
        """Longer with every failure, and never the same for two forwarders."""
        longest = min(LATEST, SOONEST * 2.0 ** min(self._failures, 16))
        return longest * random.uniform(0.5, 1)  # noqa: S311 - no secret

    def _round(self, stop: Stop) -> int:
        """How many batches the store took; it ends at the first failure."""
        taken: list[Batch] = []
        try:
            for batch in self._ledger.waiting():
                stop.check()
                if self._sent(batch):
                    taken.append(batch)
        except RefusedError as error:
            log.warning("%s", error.message)
        except DayflyError as error:
            if not self._failures and not stop.requested:
                log.warning("%s The lines wait on disk.", error.message)
            self._failures += 1
        else:
            self._failures = 0
        finally:
            if taken:
                self._ledger.settle(taken)
        return len(taken)

    def _sent(self, batch: Batch) -> bool:
        body = self._ledger.begin(batch)
        if body is None:
            return False
        try:
            self._send(body, batch.identity)
        except RefusedError:
            self._ledger.refuse(batch)
            raise
        except DayflyError:
            raise
        except Exception as error:  # whatever it raises: the store does not have the batch
            raise SendError(f"{type(error).__name__}: {error}") from error
        return True
