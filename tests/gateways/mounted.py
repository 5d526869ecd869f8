"""A network namespace whose programs find other files than this machine's."""

from dataclasses import dataclass
from pathlib import Path

from gateways.wired import Space


@dataclass(frozen=True)
class Mounted(Space):
    folder: Path
    mounts: str  # commands of a shell, in which {0} is the folder

    def argv(self, *words: str) -> list[str]:
        script = f'{self.mounts.format(self.folder)}exec "$@"'
        return super().argv("unshare", "--mount", "sh", "-c", script, "sh", *words)
