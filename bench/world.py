"""An environment of our own: a home in a temporary folder, free ports, the real command line."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dayfly.client import Client
from dayfly.config.home import Home, token
from dayfly.environment.processes import pids_of
from dayfly.events import Event
from dayfly.machines.workdir import discard
from dayfly.release.journal import Journal
from ports import free_port

ROOT = Path(__file__).parents[1]
DAYFLY = str(Path(sys.executable).with_name("dayfly"))
SETTINGS = """\
name    = "bench"
runtime = "{runtime}"
[balancer]
http = "127.0.0.1:{http}"
[api]
listen = "127.0.0.1:{api}"
"""
CALM = 2.0  # processes that run or wait, for each CPU


class FailedError(Exception):
    """A command that has to succeed did not."""


@dataclass(frozen=True)
class World:
    home: Home
    http: int
    api: int

    @property
    def folder(self) -> Path:
        """Where a part keeps what it needs beside the home."""
        return self.home.path.parent

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http}"

    @property
    def client(self) -> Client:
        return Client(f"http://127.0.0.1:{self.api}", token(self.home))

    def dayfly(self, *words: str, at: Path | None = None, said: str = "") -> float:
        """What a person types; returns the seconds it took."""
        began = time.monotonic()
        done = subprocess.run(
            [DAYFLY, *words],
            cwd=at or self.folder,
            env={**os.environ, "DAYFLY_HOME": str(self.home.path)},
            input=said.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        seconds = time.monotonic() - began
        if done.returncode:
            raise FailedError(f"dayfly {' '.join(words)}: {done.stdout.decode()}")
        return seconds

    def release(self, checkout: Path) -> "Told":
        """Release what is checked out; returns its story."""
        began = time.time()
        self.dayfly("release", at=checkout)
        number = int(self.client.get("/api/releases", limit=1)[0]["release"])
        return Told(began, tuple(self.events(release=number)))

    def roll_back(self, checkout: Path, to: int) -> "Told":
        after = self.last_event()
        began = time.time()
        self.dayfly("rollback", "--to", str(to), at=checkout)
        return Told(began, tuple(self.events(after=after)))

    def events(self, *, after: int = 0, release: int | None = None) -> list[Event]:
        journal = Journal(self.home.journal)
        try:
            return journal.events(after=after, release=release, limit=1_000_000)
        finally:
            journal.close()

    def last_event(self) -> int:
        journal = Journal(self.home.journal)
        try:
            return journal.last_event()
        finally:
            journal.close()

    def pids(self) -> dict[str, int]:
        """The environment's own processes."""
        home = str(self.home.path)
        conf = str(self.home.run / "supervisord.conf")
        haproxy = (self.home.balancer / "haproxy.pid").read_text().split()[0]
        archive = pids_of(["-m", "dayfly.files.service", str(self.home.files)])
        return {
            "server": pids_of(["-m", "dayfly.console", home])[0],
            "keeper": pids_of(["-m", "dayfly.balancer.keeper", home])[0],
            "supervisord": pids_of(["-m", "supervisor.supervisord", "-c", conf])[0],
            "HAProxy": int(haproxy),
            "log server": pids_of(["-m", "dayfly.logs", str(self.home.logs)])[0],
            "forwarder": pids_of(["-m", "dayfly.logs.forwarder", str(self.home.forwarder)])[0],
            **{f"file archive {place}": pid for place, pid in enumerate(archive, 1)},
        }


def calm(seconds: float = 20.0) -> None:
    """Wait for a while until little else runs."""
    ends = time.monotonic() + seconds
    while os.getloadavg()[0] > CALM * len(os.sched_getaffinity(0)) and time.monotonic() < ends:
        time.sleep(1)


@dataclass(frozen=True)
class Told:
    """What the journal tells of one release or rollback. Moments are seconds since the epoch."""

    began: float  # when the command was typed
    events: Sequence[Event]

    def moment(self, kind: str) -> float:
        return next(event.time for event in self.events if event.kind == kind)

    def data(self, kind: str) -> Any:  # noqa: ANN401 - JSON
        return next(event.data for event in self.events if event.kind == kind)

    def stage(self, name: str) -> float:
        """Seconds; 0 for a stage that there was not."""
        finished = (e for e in self.events if e.kind == "stage.finished")
        return sum(float(str(e.data["seconds"])) for e in finished if e.data["stage"] == name)

    @property
    def serving(self) -> float:
        return self.moment("cutover")


@contextmanager
def world(runtime: str = "process") -> Iterator[World]:
    """A folder for an environment that is not started yet; stopped and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="dayfly-bench-", dir="/var/tmp"))
    folder.chmod(0o755)  # machines of other users pass through
    made = World(Home(folder / "home"), free_port(), free_port())
    made.home.path.mkdir()
    settings = SETTINGS.format(runtime=runtime, http=made.http, api=made.api)
    made.home.environment_toml.write_text(settings)
    try:
        yield made
    finally:
        made.dayfly("destroy", "bench")
        discard(folder)
        shutil.rmtree(folder, ignore_errors=True)
