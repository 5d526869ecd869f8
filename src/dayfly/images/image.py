"""What is built and never changed afterwards."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Image:
    """One built version of an app.

    `reference` is what the runtime starts: the tree's folder for processes, an image id for
    docker. `key` names the inputs (source, steps, base); the same inputs are the same image.
    """

    key: str
    app: str
    commit: str
    runtime: str  # "process" | "docker"
    reference: str
    size: int  # bytes
    seconds: float = 0.0  # how long the build took; 0 when it was there already

    @property
    def tree(self) -> Path:
        return Path(self.reference)


@dataclass(frozen=True, kw_only=True)
class LayerTold:
    """One of the layers that an image lies in, as people are told about it."""

    about: str
    size: int  # bytes
