"""What a machine wrote: its last lines, and its lines as they come."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

LAST = 20  # lines
TAIL = 65536  # bytes looked at for them, and the longest line told in one piece
CHUNK = 1 << 20


def last_lines(folder: Path, count: int = LAST) -> str:
    """The end of a machine's output; empty when it wrote nothing."""
    try:
        with (folder / "output.log").open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - TAIL))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-count:])


@dataclass
class Follower:
    """Reads a growing file; whole lines go to `on_line`, overlong ones in pieces."""

    path: Path
    on_line: Callable[[str], None]
    _read: int = 0
    _rest: bytes = field(default=b"")

    def advance(self) -> bool:
        """Tell what was written since; False when there was nothing."""
        with self.path.open("rb") as file:
            file.seek(self._read)
            data = file.read(CHUNK)
        self._read += len(data)
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            self._tell(line)
        while len(self._rest) > TAIL:
            self._tell(self._rest[:TAIL])
            self._rest = self._rest[TAIL:]
        return bool(data)

    def finish(self) -> None:
        while self.advance():
            pass
        if self._rest:
            self._tell(self._rest)
            self._rest = b""

    def _tell(self, line: bytes) -> None:
        self.on_line(line.decode(errors="replace").rstrip("\r"))
