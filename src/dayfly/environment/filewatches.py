"""Whom `[files.watch.NAME]` tells what happens in the archive: at least once, in order."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from dayfly.clock import Stop
from dayfly.config.environment import Environment as Settings
from dayfly.config.environment import FilesWatch
from dayfly.config.home import Home
from dayfly.config.names import OPERATOR
from dayfly.config.secrets import SecretError, Secrets
from dayfly.durable import translated, write_atomically
from dayfly.environment.alerting.telling import UntoldError, Webhook, post
from dayfly.errors import DayflyError
from dayfly.rounds import Rounds
from dayfly.stored import read_json

if TYPE_CHECKING:
    from dayfly.files.catalogue import Catalogue

ROUND_SECONDS = 0.5
TOGETHER = 100  # changes of one POST
READ = 1000  # changes that are looked through at once
PAUSES = (1.0, 2.0, 5.0, 15.0, 60.0)  # seconds before it is tried again
FOLDER = "watches"


@dataclass(frozen=True, kw_only=True)
class Known:
    """How far one watch is: all changes up to `after` were taken."""

    after: int
    told: int = 0  # changes, ever
    problem: str = ""


@dataclass
class Patience:
    failures: int = 0
    until: float = 0.0


@dataclass
class FileWatches:
    """One POST after the other for each; what is not taken is sent again, and nothing before it."""

    home: Home
    settings: Settings
    post: Callable[[Webhook, Mapping[str, object]], None] = post
    now: Callable[[], float] = time.monotonic
    _stop: Stop = field(default_factory=Stop)
    _rounds: dict[str, Rounds] = field(default_factory=dict)
    _patience: dict[str, Patience] = field(default_factory=dict)
    _indexes: dict[str, "Catalogue"] = field(default_factory=dict)

    def start(self) -> None:
        for name, watch in self.settings.files.watch.items():
            each = Rounds(f"files.watch.{name}", ROUND_SECONDS, partial(self.round, name, watch))
            self._rounds[name] = each
            each.start()

    def close(self) -> None:
        self._stop.request("the server ends")
        for each in self._rounds.values():
            each.stop.request("the server ends")
        for each in self._rounds.values():
            each.close()
        for catalogue in self._indexes.values():
            catalogue.close()

    def round(self, name: str, watch: FilesWatch) -> None:
        """All that has happened since, or as much as is taken."""
        patience = self._patience.setdefault(name, Patience())
        if self.now() < patience.until:
            return
        catalogue = self._indexes.get(name) or opened(self.home, self.settings)
        if catalogue is None:
            return
        self._indexes[name] = catalogue
        try:
            self._tell(name, watch, catalogue)
            patience.failures = 0
        except (UntoldError, SecretError) as error:
            patience.failures += 1
            patience.until = self.now() + PAUSES[min(patience.failures, len(PAUSES)) - 1]
            known = _begun(self.home, name, catalogue)
            _write(self.home, name, replace(known, problem=error.message))
        except BaseException:
            self._indexes.pop(name).close()
            raise

    def _tell(self, name: str, watch: FilesWatch, catalogue: "Catalogue") -> None:
        while not self._stop.requested:
            if not self._told(name, watch, catalogue, _begun(self.home, name, catalogue)):
                return

    def _told(self, name: str, watch: FilesWatch, catalogue: "Catalogue", known: Known) -> bool:
        """Whether there may be more."""
        from dayfly.files.s3.watching import told as shown  # noqa: PLC0415 - loads S3

        found = catalogue.changes(known.after, READ)
        if not found:
            return False
        wanted = [
            each
            for each in found
            if each.bucket == watch.bucket and each.key.startswith(watch.prefix)
        ][:TOGETHER]
        last = wanted[-1].sequence if len(wanted) == TOGETHER else found[-1].sequence
        if wanted:
            oldest = catalogue.changes(0, 1)[0].sequence
            value = {
                "watch": name,
                "environment": self.settings.name,
                "missed": oldest > known.after,  # older ones are not kept any more
                "changes": [shown(each) for each in wanted],
            }
            self.post(Webhook(url=watch.url, token=self._token(watch)), value)
        _write(self.home, name, Known(after=last, told=known.told + len(wanted)))
        return True

    def _token(self, watch: FilesWatch) -> str:
        if watch.secret is None:
            return ""
        secrets = Secrets(self.home.secrets)
        return secrets.wanted(OPERATOR, [watch.secret])[watch.secret]


def told(home: Home, settings: Settings) -> list[dict[str, Any]]:
    """As `dayfly status --json` has it."""
    found = []
    for name in settings.files.watch:
        known = Known(after=0)
        with suppress(DayflyError):
            if _path(home, name).exists():
                known = read_json(_path(home, name), Known)
        found.append({"name": name, "told": known.told, "problem": known.problem or None})
    return found


def opened(home: Home, settings: Settings) -> "Catalogue | None":
    """The index alone, so that whoever makes it anew need not wait; None where there is none."""
    from dayfly.environment.archive import place  # noqa: PLC0415 - it tells of us
    from dayfly.files.catalogue import NAME, Catalogue  # noqa: PLC0415 - only with a watch

    path = place(home, settings).index / NAME
    return Catalogue(path) if path.exists() else None


def _begun(home: Home, name: str, catalogue: "Catalogue") -> Known:
    """Where it was; a new watch is told what happens from now on."""
    path = _path(home, name)
    if path.exists():
        return read_json(path, Known)
    fresh = Known(after=catalogue.last_change())
    _write(home, name, fresh)
    return fresh


def _write(home: Home, name: str, known: Known) -> None:
    path = _path(home, name)
    with translated(path.parent):
        path.parent.mkdir(exist_ok=True)
    write_atomically(path, msgspec.json.encode(known))


def _path(home: Home, name: str) -> Path:
    return home.files / FOLDER / f"{name}.json"
