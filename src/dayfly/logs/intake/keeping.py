"""Messages of syslog into the store, however long it takes."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from anyio import CapacityLimiter, to_thread

from dayfly.clock import SECOND
from dayfly.errors import DayflyError
from dayfly.logs.intake.syslog import line_of
from dayfly.logs.parsing.parsed import Known
from dayfly.logs.store.store import Store

AGAIN_SECONDS = 1.0  # until a store that took nothing is asked again
AT_ONCE = 8
_log = logging.getLogger("logs")


@dataclass(frozen=True)
class Keeper:
    store: Store
    zone: ZoneInfo
    now: Callable[[], float]
    threads: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(AT_ONCE))

    async def keep(self, messages: Sequence[tuple[bytes, str]]) -> None:
        """Messages and who sent each. On disk when it returns; until then their senders wait."""
        if not messages:
            return
        body, refused = await to_thread.run_sync(self._lines, messages, limiter=self.threads), ""
        while said := await to_thread.run_sync(self._append, body, limiter=self.threads):
            if said != refused:
                _log.warning("syslog waits: %s", said)
            refused = said
            await asyncio.sleep(AGAIN_SECONDS)

    def _lines(self, messages: Sequence[tuple[bytes, str]]) -> bytes:
        """Messages that tell no time keep their order: each is a nanosecond later than the last."""
        moment = round(self.now() * SECOND)
        return b"\n".join(
            line_of(message, Known(moment + number, self.zone), peer)
            for number, (message, peer) in enumerate(messages)
        )

    def _append(self, body: bytes) -> str:
        """Why nothing was taken."""
        try:
            self.store.append(body)
        except DayflyError as error:
            return error.message
        return ""
