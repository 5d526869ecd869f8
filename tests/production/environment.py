"""An environment that a test starts, uses like a person does, breaks and starts again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import trustme

from dayfly.balancer.program import packaged_program
from dayfly.client import Client
from dayfly.clock import wait_until
from dayfly.command import which
from dayfly.config.home import Home, environment_id, token
from dayfly.environment.declared import settings_of
from dayfly.environment.environment import open_runtime
from dayfly.environment.processes import pids_of
from dayfly.events import Event
from dayfly.release.journal import Journal
from fake_server.visitor import Visitor
from ports import free_port
from production.projects import Project

DAYFLY = (sys.executable, "-c", "from dayfly.cli import main; main()")
ROOTS = Path(__file__).parents[2]
PATIENCE = 60.0

SETTINGS = """\
name = "test"
runtime = "{runtime}"
{more}
[balancer]
http = "127.0.0.1:{http}"
{https}
[api]
listen = "127.0.0.1:{api}"
[logs]
listen = "127.0.0.1:{logs}"
{archive}
[logs.host]
journal = false
syslog = []
postgresql = []
[route.tight]
hosts = ["tight.example"]
"""


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    said: str  # stdout and stderr as they came


@dataclass(frozen=True)
class Production:
    folder: Path
    http: int
    api: int
    https: int = 0  # without TLS
    logs: int = 0
    files: int = 0

    @property
    def home(self) -> Home:
        return Home(self.folder / "home")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http}"

    @property
    def secure_url(self) -> str:
        return f"https://127.0.0.1:{self.https}"

    @property
    def ca(self) -> Path:
        """The authority that signed the certificate."""
        return self.folder / "ca.pem"

    @cached_property
    def id(self) -> str:
        return environment_id(self.home)

    @property
    def client(self) -> Client:
        return Client(f"http://127.0.0.1:{self.api}", token(self.home))

    @property
    def surroundings(self) -> dict[str, str]:
        path = f"{ROOTS / 'src'}{os.pathsep}{ROOTS / 'tests'}"
        return {**os.environ, "DAYFLY_HOME": str(self.home.path), "PYTHONPATH": path}

    # -- what a person types

    def type(self, *words: str, at: Path | None = None, given: str = "") -> Ran:
        """A command of `dayfly`, to its end."""
        done = subprocess.run(
            [*DAYFLY, *words],
            cwd=at or self.folder,
            env=self.surroundings,
            input=given.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=240,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode())

    def typed(self, *words: str, at: Path | None = None, given: str = "") -> str:
        """What a command says that has to succeed."""
        ran = self.type(*words, at=at, given=given)
        assert ran.status == 0, f"dayfly {' '.join(words)}: {ran.status}\n{ran.said}"
        return ran.said

    @contextmanager
    def typing(self, *words: str, at: Path | None = None) -> Iterator["subprocess.Popen[bytes]"]:
        """A command of `dayfly` that runs while the block does."""
        with subprocess.Popen(
            [*DAYFLY, *words],
            cwd=at or self.folder,
            env=self.surroundings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def up(self) -> None:
        self.typed("up")

    def release(self, app: Project, commit: str, *words: str) -> Ran:
        return self.type("release", commit, *words, at=app.folder)

    def released(self, app: Project, commit: str, *words: str) -> int:
        """The number of a release that has to succeed."""
        self.typed("release", commit, *words, at=app.folder)
        return self.newest()

    # -- what there is

    def releases(self) -> list[dict[str, Any]]:
        return list(self.client.get("/api/releases", limit=1000))

    def newest(self) -> int:
        found = self.releases()
        return int(found[0]["release"]) if found else 0

    def record(self, number: int) -> dict[str, Any]:
        return dict(self.client.get(f"/api/releases/{number}"))

    def app(self, name: str) -> dict[str, Any]:
        return next(a for a in self.client.get("/api/status")["apps"] if a["app"] == name)

    def serving(self, app: str) -> int | None:
        apps = self.client.get("/api/status")["apps"]
        found = next((a["serving"] for a in apps if a["app"] == app), None)
        return found and int(found["release"])

    def machines(self, app: str | None = None) -> list[dict[str, Any]]:
        return [m for m in self.client.get("/api/machines") if app in (None, m["app"])]

    def wait_for_stage(self, release: int, stage: str) -> None:
        """Until a stage of a release has begun."""

        def begun() -> bool:
            return any(
                event.kind == "stage.started" and event.data["stage"] == stage
                for event in self.events(release)
            )

        wait_until(begun, seconds=PATIENCE, what=f"{stage} of release {release}")

    def wait_until_over(self, release: int) -> dict[str, Any]:
        wait_until(
            lambda: self.record(release)["outcome"] != "running",
            seconds=PATIENCE,
            what=f"the end of release {release}",
        )
        return self.record(release)

    def page(self, path: str) -> str:
        """What the console shows to whoever has its link."""
        return self.visitor().get(path)[1]

    def visitor(self) -> Visitor:
        """Somebody who has entered the console by its link."""
        address, _, enter = self.typed("console").strip().rpartition("/")
        cookie = Visitor(address, {}).get(f"/{enter}")[0].headers["Set-Cookie"].partition(";")[0]
        return Visitor(address, {"Cookie": cookie})

    def events(self, release: int) -> list[Event]:
        """What the journal says of a release until now, also when no server runs."""
        journal = Journal(self.home.journal)
        try:
            return journal.events(release=release, limit=100_000)
        finally:
            journal.close()

    # -- its processes

    def servers(self) -> list[int]:
        return pids_of(["-m", "dayfly.console", str(self.home.path)])

    def keepers(self) -> list[int]:
        return pids_of(["-m", "dayfly.balancer.keeper", str(self.home.path)])

    def log_servers(self) -> list[int]:
        return pids_of(["-m", "dayfly.logs", str(self.home.logs)])

    def forwarders(self) -> list[int]:
        return pids_of(["-m", "dayfly.logs.forwarder", str(self.home.forwarder)])

    def archives(self) -> list[int]:
        return pids_of(["-m", "dayfly.files.service", str(self.home.files)])

    def supervisors(self) -> list[int]:
        conf = str(self.home.run / "supervisord.conf")
        return pids_of(["-m", "supervisor.supervisord", "-c", conf])

    def haproxies(self) -> list[int]:
        with suppress(OSError, ValueError, IndexError):  # it may be written at this moment
            pid = int((self.home.balancer / "haproxy.pid").read_text().split()[0])
            if (Path("/proc") / str(pid)).exists():
                return [pid]
        return []

    def processes_of(
        self, *, release: str | None = None, app: str = "", machine: str | None = None
    ) -> list[int]:
        """Processes that carry this environment's mark: of all machines, a release's, or one."""
        marks = [f"DAYFLY_ENVIRONMENT={self.id}\0".encode()]
        if machine is not None:
            marks += [f"DAYFLY_MACHINE={machine}\0".encode()]
        if release is not None:
            marks += [f"DAYFLY_RELEASE={release}\0".encode(), f"DAYFLY_APP={app}\0".encode()]
        return [
            pid for pid, variables in _environments() if all(mark in variables for mark in marks)
        ]

    def kill(self, pids: list[int]) -> None:
        assert pids, "nothing to kill"
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(map(_lives, pids)), seconds=10, what="the end of the killed")

    def close(self) -> None:
        """Down, and whatever may be left killed by its id; nothing is left of a destroyed one."""
        if not self.home.id_file.exists():
            return
        self.type("down")
        everything = [*self.supervisors(), *self.servers(), *self.keepers(), *self.haproxies()]
        everything += [*self.forwarders(), *self.log_servers(), *self.archives()]
        for pid in [*everything, *self.processes_of()]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._discard_images()

    def _discard_images(self) -> None:
        """Docker keeps them beside DAYFLY_HOME, with their layers."""
        if 'runtime = "docker"' in self.home.environment_toml.read_text():
            _, builder = open_runtime(self.home, settings_of(self.home))
            builder.clear()


@contextmanager
def running(
    folder: Path, *, runtime: str = "process", tls: bool = False, more: str = "", last: str = ""
) -> Iterator[Production]:
    """A started environment on free ports; `more` and `last` go into its environment.toml.

    Where containers have a network of their own the archive chooses its address.
    """
    if not (which("haproxy") or packaged_program()):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs haproxy")
    folder.chmod(0o755)  # machines of other users pass through
    for parent in folder.parents[:2]:
        parent.chmod(parent.stat().st_mode | 0o011)
    ports = free_port(), free_port()
    prod = Production(folder, free_port(), free_port(), free_port() if tls else 0, *ports)
    prod.home.path.mkdir()
    if tls:
        _certify(prod)
    https = f'https = {{ listen = "127.0.0.1:{prod.https}" }}' if tls else ""
    archive = (
        ""
        if "bridge" in last or "[files]" in last
        else f'[files]\nlisten = "127.0.0.1:{prod.files}"'
    )
    prod.home.environment_toml.write_text(
        SETTINGS.format(
            runtime=runtime,
            more=more,
            http=prod.http,
            https=https,
            api=prod.api,
            logs=prod.logs,
            archive=archive,
        )
        + last
    )
    try:
        prod.up()
        yield prod
    finally:
        prod.close()


def _certify(prod: Production) -> None:
    """A certificate of an authority of its own."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(prod.ca)
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    prod.home.tls.mkdir(mode=0o700)
    certificate.private_key_and_cert_chain_pem.write_to_path(prod.home.tls / "site.pem")


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state not in "ZX"


def _environments() -> Iterator[tuple[int, bytes]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                yield int(entry.name), (entry / "environ").read_bytes()


def seconds_since(began: float) -> float:
    return round(time.monotonic() - began, 2)
