"""What of a machine's files is to be collected, told beside them, where it outlives the machine.

home/output/NAME/.collect.json   what, and where to; there until all of it is in
home/output/NAME/collect/        the machine's own folders with such files
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from dayfly.stored import read_json

TOLD, FOLDER = ".collect.json", "collect"


@dataclass(frozen=True, kw_only=True)
class Collected:
    """`places` are globs below the app's folder, each with the prefix of its keys."""

    bucket: str
    places: Mapping[str, str]
    app: str = ""
    release: int = 0
    process: str = ""
    job: bool = False


@dataclass(frozen=True, kw_only=True)
class Collect:
    """As a machine is wanted with it."""

    bucket: str = ""
    places: Mapping[str, str] = field(default_factory=dict)


def told(output: Path) -> Collected | None:
    """None where nothing is, or is not any more."""
    path = output / TOLD
    return read_json(path, Collected) if path.exists() else None


def encoded(collected: Collected) -> bytes:
    return msgspec.json.encode(collected)
