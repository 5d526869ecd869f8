"""Secrets are taken out of records before they leave this host, or reach the spool."""

import time
from pathlib import Path

from dayfly.config.redact import Redactor
from dayfly.config.secrets import Secrets
from dayfly.durable import translated
from dayfly.logs.forwarder.stamps import Stamps

UNSETTLED = 1_000_000_000  # nanoseconds in which a folder may change and keep its time
NOTHING = Redactor.of(())


class Hiding:
    """What is in the folder of an environment's secrets, read again when it has changed.

    Values that were replaced are known as long as this process lives: machines that run have them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changed = 0
        self._values: dict[str, set[str]] = {}
        self._redactors: dict[str, Redactor] = {}
        self._all = NOTHING

    def of(self, stamps: Stamps) -> Redactor:
        """A machine's lines may have its app's secrets; those of others anybody's."""
        self._refresh()
        return self._redactors.get(stamps.app, NOTHING) if stamps.machine else self._all

    def _refresh(self) -> None:
        with translated(self._folder):
            changed = self._folder.stat().st_mtime_ns if self._folder.is_dir() else 0
        if changed != self._changed:
            self._load()
            settled = abs(time.time_ns() - changed) > UNSETTLED
            self._changed = changed if settled else 0

    def _load(self) -> None:
        secrets = Secrets(self._folder)
        for path in self._folder.glob("*.json"):
            known = self._values.setdefault(path.stem, set())
            values = set(secrets.read(path.stem).values()) - known
            if values or path.stem not in self._redactors:
                known |= values
                self._redactors[path.stem] = Redactor.of(known)
        self._all = Redactor.of(value for values in self._values.values() for value in values)
