"""Files that machines have finished and that no key can name, kept for a person.

home/output/.left-out/NAME/TIME-PATH
"""

import logging
import os
from pathlib import Path
from urllib.parse import quote

from dayfly.durable import translated

FOLDER = ".left-out"
LONGEST_NAME = 200  # of a path, so that the name of the file is one
PIECE = 1 << 20

log = logging.getLogger(__name__)


def lay(output: Path, machine: str, path: str, descriptor: int) -> None:
    """A copy on disk, by a name that says where it lay; the same one when it is done again."""
    folder, name = output / FOLDER / machine, quote(os.fsencode(path), safe="")
    with translated(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        at = folder / f"{os.fstat(descriptor).st_mtime_ns}-{name[-LONGEST_NAME:]}"
        with at.open("wb") as file:
            while piece := os.pread(descriptor, PIECE, file.tell()):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
    log.warning("%s: %a can be no key, and lies in %s", machine, path, at)


def told(output: Path) -> tuple[str, ...]:
    """What lies there, for a person to read."""
    where = output / FOLDER
    number = len([*where.glob("*/*")])
    if not number:
        return ()
    what = "1 file that a machine has" if number == 1 else f"{number} files that machines have"
    return (f"{what} finished could not be collected, by its name, and lies in {where}",)
