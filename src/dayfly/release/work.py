"""What a release or a rollback has in hand while it is under way."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dayfly.balancer.balancer import Balancer
from dayfly.clock import Stop
from dayfly.config.app import App, Database
from dayfly.config.environment import Environment, Route
from dayfly.config.home import Home
from dayfly.config.load import load_app
from dayfly.config.redact import Redactor
from dayfly.config.secrets import Secrets
from dayfly.errors import DayflyError, StoppedError
from dayfly.files.tenants import Tenants
from dayfly.images.builder import Builder
from dayfly.images.source import Sources
from dayfly.machines.machine import Runtime
from dayfly.release.journal import Journal
from dayfly.release.records import NOTHING, ReleaseRecord, Wish


class AskLogs(Protocol):
    """A question to the log store by its path; the lines of JSON that it answers with."""

    def __call__(self, question: str, **told: object) -> Iterator[str]: ...


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The rooms below, opened from the settings."""

    home: Home
    settings: Environment
    journal: Journal
    sources: Sources
    builder: Builder
    runtime: Runtime
    balancer: Balancer
    secrets: Secrets
    logs: AskLogs
    archive: Tenants
    tunnel: Callable[[], str]  # why a required tunnel is not established; empty when it is

    def app_of(self, record: ReleaseRecord) -> App:
        """The settings that belong to a release: dayfly.toml of its commit."""
        text = self.sources.read(record.app, record.commit, "dayfly.toml")
        return load_app(text, file=f"dayfly.toml of {record.commit[:8]}")

    def route_of(self, app: str) -> Route:
        """Which requests are an app's, as the operator says; all of them where they say nothing."""
        return self.settings.route.get(app, Route())

    def redactor(self, app: str) -> Redactor:
        """Takes the app's secrets out of what is kept or shown."""
        return Redactor.of(self.secrets.read(app).values())

    def serving(self, app: str) -> int | None:
        """The release that new requests of an app go to: what the map on disk says."""
        routing = self.balancer.routing()
        slot = routing.serving.get(app)
        return routing.slots[slot].release if slot else None

    def slot_of(self, app: str, release: int) -> str | None:
        """The slot that holds a release's fleet."""
        slots = self.balancer.routing().slots
        return next((n for n, s in slots.items() if (s.app, s.release) == (app, release)), None)

    def slots_of(self, app: str) -> list[str]:
        return [name for name, slot in self.balancer.routing().slots.items() if slot.app == app]

    def down(self) -> frozenset[str]:
        """Machines that fail HAProxy's checks; NoAnswerError when HAProxy does not run."""
        slots = self.balancer.observed().servers.values()
        return frozenset(s.name for servers in slots for s in servers if s.ready and not s.up)


@dataclass(frozen=True, kw_only=True)
class Work:
    """One release or rollback under way: what it is about, and whether it should stop."""

    parts: Parts
    record: ReleaseRecord
    app: App
    stop: Stop
    wish: Wish = NOTHING
    own: set[str] = field(default_factory=set)  # machines that nobody else looks after

    def emit(self, kind: str, **data: object) -> None:
        self.parts.journal.record(kind, release=self.record.number, app=self.record.app, **data)

    def step(self, step: str, **data: object) -> AbstractContextManager[None]:
        """A step that changes the world: its intent and its outcome are in the journal."""
        return self.parts.journal.step(
            step, release=self.record.number, app=self.record.app, **data
        )

    @contextmanager
    def stage(self, stage: str, *, certain: bool = False) -> Iterator[None]:
        """A part of the story that people see, with the seconds it took.

        One that is `certain` is done whoever asked for a stop: it is the way back, or the end.
        """
        if not certain:
            self.stop.check()
        started = time.monotonic()
        self.emit("stage.started", stage=stage)
        outcome = "failed"
        try:
            yield
            outcome = "done"
        except StoppedError:
            outcome = "stopped"
            raise
        finally:
            seconds = round(time.monotonic() - started, 3)
            self.emit("stage.finished", stage=stage, outcome=outcome, seconds=seconds)

    def lines_of(self, source: str) -> Callable[[str], None]:
        """Take the output of a program: live to whoever follows, and kept; without secrets."""
        redact = self.parts.redactor(self.record.app)
        kept = self.folder / f"{source}.log"

        def take(line: str) -> None:
            clean = redact(line)
            with kept.open("a") as log:
                log.write(clean + "\n")
            self.emit("output", source=source, line=clean)

        return take

    @property
    def source(self) -> Path:
        """The commit's files while it is built."""
        return source_of(self.parts.home, self.record)

    def database_url(self, database: Database) -> str:
        """Of production: it is a secret."""
        return self._secret(database.url)

    def migrate_url(self, database: Database) -> str:
        """The same, as the role that may change the schema."""
        return self._secret(database.migrate_url or database.url)

    def replica_url(self, database: Database) -> str:
        """Of a replica that is read instead; empty where the app has none."""
        return self._secret(database.replica_url) if database.replica_url else ""

    def _secret(self, name: str) -> str:
        return secret_of(self.parts, self.record.app, name)

    @property
    def migrations(self) -> Path:
        """The commit's SQL files, which are needed when its source is gone."""
        return self.folder / "migrations"

    @property
    def page(self) -> str:
        """What is shown while the app is closed; empty where Dayfly's own page is."""
        page = self.app.release.page
        return (page and self.parts.sources.read(self.record.app, self.record.commit, page)) or ""

    @property
    def statements(self) -> Path:
        """The commit's list of statements that the app sends, where it names one."""
        return self.folder / "statements.sql"

    @property
    def folder(self) -> Path:
        """What is kept of this release: output of its build, tests, migration and smoke."""
        folder = self.parts.home.release(self.record.number)
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def secret_of(parts: Parts, app: str, name: str) -> str:
    return parts.secrets.wanted(app, (name,))[name]


def source_of(home: Home, record: ReleaseRecord) -> Path:
    return home.release(record.number) / "source"


class RefusedError(DayflyError):
    """The release is not begun: its settings don't fit this environment."""


class ReleaseError(DayflyError):
    """The release can't go on; what served goes on serving."""
