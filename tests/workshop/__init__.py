"""A place where tests build real images, with either builder."""

import os
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dayfly.clock import Stop
from dayfly.command import CommandError, output_of
from dayfly.config.app import App, Build
from dayfly.config.inherited import inherited_for_builds
from dayfly.config.units import Duration
from dayfly.database.programs import DatabaseError, programs
from dayfly.images.builder import Builder
from dayfly.images.container import ContainerBuilder
from dayfly.images.image import Image
from dayfly.images.source import Sources
from dayfly.images.tree import TreeBuilder
from dayfly.machines.workdir import discard
from project import Project

UID = 48_213 if os.geteuid() == 0 else None
STEPS = ("pip install -r requirements.txt",)


@dataclass
class Workshop:
    """An app's repository, the server's copy of it, and a builder."""

    home: Path
    builder: Builder
    project: Project
    lines: list[str] = field(default_factory=list)  # of the last build
    stop: Stop = field(default_factory=Stop)
    on_line: Callable[[str], None] = print

    def app(self, *steps: str, env: dict[str, str] | None = None, deadline: float = 300) -> App:
        build = Build(steps=steps, deadline=Duration(deadline))
        return App(app="orders", build=build, env=env or {})

    def build(self, app: App) -> Image:
        """Commit what is there, and build it."""
        commit = self.project.commit()
        source = self.home / "sources" / commit
        if not source.exists():
            sources = Sources(self.home / "repositories")
            bundle = self.home / "bundle"
            self.project.git("bundle", "create", "-q", str(bundle), "HEAD", "--tags")
            sources.receive("orders", bundle)
            sources.export("orders", commit, source)
        self.lines.clear()
        return self.builder.build(app, commit, source, on_line=self._heard, stop=self.stop)

    def _heard(self, line: str) -> None:
        self.lines.append(line)
        self.on_line(line)


@contextmanager
def workshop(runtime: str) -> Iterator[Workshop]:
    with open_folder() as home, _made(runtime, home) as shop:
        yield shop


@contextmanager
def open_folder(at: Path = Path("/var/tmp")) -> Iterator[Path]:
    """A temporary folder that other users may enter, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(dir=at, prefix="dayfly-test-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        discard(folder)


@contextmanager
def _made(runtime: str, home: Path) -> Iterator[Workshop]:
    builder: Builder
    if runtime == "process":
        builder = tree_builder(home)
    else:
        need_docker()
        builder = ContainerBuilder(
            folder=home / "images",
            cache=home / "cache",
            environment=uuid.uuid4().hex[:8],
            inherited=inherited_for_builds(),
        )
    project = Project.begun(home / "work")
    project.write("requirements.txt", "six==1.16.0\n")
    project.write("app.py", "print('one')\n")
    try:
        yield Workshop(home, builder, project)
    finally:
        builder.clear()


def tree_builder(home: Path) -> TreeBuilder:
    return TreeBuilder(
        folder=home / "images",
        cache=home / "cache",
        inherited=inherited_for_builds(),
        uid=None if UID is None else lambda _app: UID,
    )


def inside(image: Image, command: str) -> str:
    """What a command prints in a machine of the image (as good as one, for its files)."""
    if image.runtime == "docker":
        argv = ["docker", "run", "--rm", "--network=none", image.reference, "sh", "-c", command]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    path = f"{image.tree}/venv/bin:/usr/bin:/bin"
    return subprocess.run(
        ["sh", "-c", command],
        cwd=image.tree / "app",
        env={"PATH": path},
        user=UID,
        group=UID,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def need_docker() -> None:
    try:
        output_of(["docker", "version", "--format", "{{.Server.Version}}"])
    except CommandError as error:
        if os.environ.get("CI") and not os.environ.get("DAYFLY_NO_DOCKER"):
            pytest.fail(f"no Docker Engine: {error.tail}")
        pytest.skip("no Docker Engine")


def postgresql() -> Path:
    """PostgreSQL's programs; without them a test is skipped, and fails in CI."""
    try:
        return programs(None)
    except DatabaseError as error:
        if os.environ.get("CI"):
            pytest.fail(f"{error} {error.hint}")
        pytest.skip(str(error))
