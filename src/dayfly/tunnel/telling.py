"""What the keeper tells of its work to who asks how the tunnel is."""

import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from dayfly.tunnel.place import Kept, Place

LAST = 3  # of what was put back


class Telling:
    """Two threads do."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._kept = Kept(pid=os.getpid())

    def tell(self, *, problem: str, settings: str) -> None:
        with self._lock:
            self._write(replace(self._kept, problem=problem, settings=settings))

    def restored(self, gone: Sequence[str]) -> None:
        if not gone:
            return
        now = datetime.now().astimezone()
        said = f"put back at {now:%Y-%m-%d %H:%M:%S}, as somebody took it away: {', '.join(gone)}"
        with self._lock:
            restored = (*self._kept.restored, said)[-LAST:]
            self._write(replace(self._kept, restored=restored))

    def _write(self, kept: Kept) -> None:
        if kept != self._kept:
            self._place.tell(kept)
        self._kept = kept
