"""The versions that apt and pip resolved for an image, and how a later build takes them again."""

import json
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dayfly.errors import DayflyError

CONSTRAINTS = "constraints.txt"
_SHOWN = 10  # names in a line
_FIRST = 1001  # the priority with which apt even goes back to an older version
# What an app is built with says pyproject.toml, and pip installs it apart from the app's own
# packages. pip before 25.3 takes PIP_CONSTRAINT there, too: it runs itself with these words.
_GUARD = """\
import os
try:
    with open("/proc/self/cmdline", "rb") as file:
        words = set(file.read().split(b"\\0"))
except (IOError, OSError):
    words = set()
if {b"--ignore-installed", b"--no-user", b"--prefix"} <= words:
    os.environ.pop("PIP_CONSTRAINT", None)
"""


class LockError(DayflyError):
    """A file is no lock of an image."""


@dataclass(frozen=True, kw_only=True)
class Lock:
    """Versions by package."""

    apt: Mapping[str, str] = field(default_factory=dict)
    pip: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """As a file; empty where nothing is locked."""
        if not (self.apt or self.pip):
            return ""
        lines = ["# The versions that an image was made with: `lock` of [image] takes them again."]
        for name, versions in (("apt", self.apt), ("pip", self.pip)):
            lines += ["", f"[{name}]"]
            lines += (
                f"{json.dumps(key)} = {json.dumps(versions[key])}" for key in sorted(versions)
            )
        return "\n".join(lines) + "\n"

    @property
    def preferences(self) -> str:
        """The file of apt(_preferences) that says so."""
        entries = (
            f"Package: {name}\nPin: version {version}\nPin-Priority: {_FIRST}\n"
            for name, version in sorted(self.apt.items())
        )
        return "\n".join(entries)

    @property
    def constraints(self) -> str:
        """The file that pip takes as PIP_CONSTRAINT."""
        return "".join(f"{name}=={version}\n" for name, version in sorted(self.pip.items()))

    def write(self, folder: Path) -> None:
        """What pip reads as PIP_CONSTRAINT, and on PYTHONPATH."""
        folder.mkdir()
        folder.chmod(0o755)
        (folder / CONSTRAINTS).write_text(self.constraints)
        (folder / "sitecustomize.py").write_text(_GUARD)


def lock_of(path: Path, name: str) -> Lock:
    """A lock file of the source, which people know as `name`."""
    try:
        read = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise LockError(f"{name}: no lock of an image: {error}") from error
    unknown = sorted(read.keys() - {"apt", "pip"})
    versions = [
        value for table in read.values() if isinstance(table, dict) for value in table.values()
    ]
    if unknown or not all(isinstance(value, str) for value in versions):
        found = f"found {unknown[0]}" if unknown else "found a version that is no text"
        raise LockError(
            f"{name}: {found}; a lock has the tables [apt] and [pip], of versions",
            hint="`dayfly images show N --lock` prints one.",
        )
    return Lock(apt=read.get("apt", {}), pip=read.get("pip", {}))


def unlocked(wanted: Lock, made: Lock) -> tuple[str, ...]:
    """What an image made with a lock has in another version, in words."""
    pairs = ((wanted.apt, made.apt), (wanted.pip, made.pip))
    return tuple(
        f"{name} is locked to {locked[name]}, and {has[name]} was installed"
        for locked, has in pairs
        for name in sorted(locked)
        if name in has and has[name] != locked[name]
    )


def beside(wanted: Lock, made: Lock) -> Iterator[str]:
    """What a lock and an image made with it do not have in common, which is no mistake."""
    for tool, locked, has in (("apt", wanted.apt, made.apt), ("pip", wanted.pip, made.pip)):
        more, less = has.keys() - locked.keys(), locked.keys() - has.keys()
        if more:
            yield f"the lock has no version for what {tool} installed: {_named(more)}"
        if less:
            yield f"the lock has versions for what {tool} did not install: {_named(less)}"


def _named(names: Collection[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(sorted(names)[:_SHOWN]) + more
