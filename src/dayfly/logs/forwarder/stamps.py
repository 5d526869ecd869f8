"""Where lines come from, as whoever starts the forwarder describes it."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Stamps:
    """What every record of a file carries; empty is what nobody knows."""

    app: str = ""
    release: int = 0
    machine: str = ""
    host: str = ""
    process: str = ""
    stream: str = ""


@dataclass(frozen=True, kw_only=True)
class Described:
    """A file."""

    stamps: Stamps = Stamps()
    ended: bool = False  # nothing more will be written: its machine has ended


# None: not described yet, so not read yet.
Describe = Callable[[Path], Described | None]


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Files below a folder; those that appear later too. Links are never followed out of it."""

    root: Path
    pattern: str  # as `Path.glob` knows it: `*/output.log`, `**/*.log`
    describe: Describe

    def means(self, path: str) -> bool:
        """Whether the pattern may have found a path that is no longer there."""
        return fnmatchcase(path, f"{self.root}/{self.pattern.replace('**/', '')}")
