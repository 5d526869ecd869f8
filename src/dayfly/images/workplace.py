"""A folder in which build steps run: what they see, who they are, and how they fail."""

import math
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dayfly.clock import Stop
from dayfly.command import CommandError, Setting, output_of, run
from dayfly.images.builder import BuildError, OnLine
from dayfly.images.repeatable import REPEATABLE
from dayfly.marked import end_marked

FILES_SECONDS = 900.0  # for copying or sealing a tree, however large


@dataclass(frozen=True, kw_only=True)
class Builders:
    """Who builds, seeing what, until when."""

    inherited: Mapping[str, str]  # of our environment
    env: Mapping[str, str]  # of the app's settings
    home: Path  # keeps the caches of pip, npm and others between builds
    uid: int | None  # None: ourselves
    on_line: OnLine
    stop: Stop
    ends: float  # time.monotonic() of the deadline


@dataclass(frozen=True)
class Workplace:
    """A tree under construction: `app/`, `venv/`, and `tmp/` while steps run."""

    tree: Path
    builders: Builders

    @property
    def app(self) -> Path:
        return self.tree / "app"

    @property
    def venv(self) -> Path:
        return self.tree / "venv"

    def step(self, command: str, title: str) -> None:
        """Run one build step; BuildError tells which one failed, how, and its last lines."""
        self.builders.on_line(f"{title}: {command}")
        self.run("sh", "-e", "-c", command, title=f"{title}, {command!r},")

    def run(self, *argv: str, title: str) -> None:
        left = max(self.builders.ends - time.monotonic(), 0.0)
        temporary = self.tree / "tmp"
        given(temporary, self.builders.uid)
        setting = Setting(cwd=self.app, env=self._environment(), uid=self.builders.uid, umask=0o022)
        about = self.builders
        try:
            run(argv, setting=setting, on_line=about.on_line, stop=about.stop, seconds=left)
        except CommandError as error:
            raise failed(title, error, self.builders.ends) from error
        finally:
            remove(temporary)

    def _environment(self) -> dict[str, str]:
        inherited = {"LANG": "C.UTF-8", **self.builders.inherited}
        home = str(self.builders.home)
        return {
            **inherited,
            **REPEATABLE,
            **self.builders.env,
            "PATH": f"{self.venv}/bin:{inherited.get('PATH') or os.defpath}",
            "VIRTUAL_ENV": str(self.venv),  # by which `abandoned` finds them
            "UV_PROJECT_ENVIRONMENT": str(self.venv),  # uv would make a `.venv` of its own
            "UV_LINK_MODE": "copy",  # its cache must not share files with an image
            "HOME": home,
            "TMPDIR": str(self.tree / "tmp"),
            # Steps read the version from a repository that is not theirs.
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "GIT_OPTIONAL_LOCKS": "0",
        }


def given(folder: Path, uid: int | None) -> Path:
    """A folder that is there and belongs to `uid`."""
    folder.mkdir(parents=True, exist_ok=True)
    if uid is not None:
        os.chown(folder, uid, uid)
    return folder


def copied(origin: Path, to: Path, *, linked: bool) -> None:
    """Copy a tree, or build it of hard links where nothing will ever write into a file."""
    how = ("-al",) if linked else ("-a", "--reflink=auto")
    _files("cp", *how, "--no-target-directory", str(origin), str(to))


def source_put(source: Path, app: Path, uid: int | None, *, git: bool) -> None:
    """Put a checkout over what is in `app`, its `.git` only when steps may ask it."""
    names = sorted(path.name for path in source.iterdir() if path.name != ".git")
    if names:
        origins = [str(source / name) for name in names]
        _files("cp", "-a", "--remove-destination", "-t", str(app), "--", *origins)
    if names and uid is not None:
        _files("chown", "-R", "-h", f"{uid}:{uid}", "--", *(str(app / name) for name in names))
    if git and (source / ".git").is_dir():
        linked = source.stat().st_dev == app.stat().st_dev
        copied(source / ".git", app / ".git", linked=linked)


def opened(tree: Path, uid: int | None, *, linked: bool) -> None:
    """Let `uid` write into a copied tree; of a linked one only into the folders."""
    which = ("-type", "d") if linked else ("!", "-type", "l")
    for part in (tree / "app", tree / "venv"):
        if uid is not None:
            own = which if linked else ()
            _files("find", str(part), *own, "-exec", "chown", "-h", f"{uid}:{uid}", "{}", "+")
        _files("find", str(part), *which, "-exec", "chmod", "u+rwX", "{}", "+")


def sealed(tree: Path, uid: int | None) -> None:
    """Nobody writes into the tree any more; besides us only `uid` may read it."""
    if uid is not None:
        _files("chown", "-R", "-h", f"{os.geteuid()}:{uid}", str(tree))
    _files("chmod", "-R", "u+rX,g+rX,a-w", str(tree))
    tree.chmod(0o750)


def remove(tree: Path) -> None:
    """Remove a tree, though its folders may be read-only. One that is gone is no error."""
    if not tree.is_dir():
        return
    if os.geteuid() != 0:  # root may enter anything, and must not follow what builders left
        tree.chmod(0o700)
        for folder, folders, _ in os.walk(tree):
            for path in (Path(folder, name) for name in folders):
                if not path.is_symlink():
                    path.chmod(0o700)
    shutil.rmtree(tree)


def abandoned(tree: Path) -> None:
    """End the steps that a server which died has left at work in a tree, then remove it."""
    end_marked(f"VIRTUAL_ENV={tree / 'venv'}")
    remove(tree)


def _files(*argv: str) -> None:
    try:
        output_of(argv, seconds=FILES_SECONDS)
    except CommandError as error:
        raise failed(f"{argv[0]}, handling the image's files,", error) from error


def failed(title: str, error: CommandError, ends: float = math.inf) -> BuildError:
    """What a failed program of a build tells a person; `ends` is the build's deadline."""
    if error.status is None and ends <= time.monotonic():
        return BuildError(f"{title} did not end before the deadline of [build]", hint=error.tail)
    if "No space left on device" in error.tail:
        return BuildError(
            f"{title} found the disk full", hint=f"Free some space, then try again.\n{error.tail}"
        )
    if error.status is None:
        return BuildError(f"{title} did not end: {error.message}", hint=error.tail)
    how = f"exit status {error.status}" if error.status > 0 else error.message.split(": ")[-1]
    return BuildError(f"{title} failed: {how}", hint=error.tail)
