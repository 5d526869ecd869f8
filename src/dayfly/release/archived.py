"""Preserved data in the archive: what is large lies there alone, the rest there as well.

In DAYFLY_HOME stays what a release has to know when the archive is out of reach: that an export is
there, what it says it holds, and what became of it. Exports of older Dayflies lie there whole, and
all where the files are in somebody else's S3.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dayfly.database.preserve.manifest import described_of, manifest_of, values_of
from dayfly.durable import write_atomically
from dayfly.files.errors import FilesError
from dayfly.files.safe import Safe
from dayfly.release.work import Parts

BUCKET = "dayfly-preserved"
MARK = "archived"  # in the folder of an export: its prefix in the bucket


def safe(parts: Parts) -> Safe | None:
    """None where this environment has no archive of its own."""
    if parts.archive.elsewhere():
        return None
    return Safe(root=parts.archive.root, index=parts.archive.index, bucket=BUCKET)


def put(parts: Parts, folder: Path) -> None:
    """An export as it lies in its folder, which loses its values once the archive has them.

    FilesError where the archive does not take all of it; what was not taken stays in the folder.
    """
    there = safe(parts)
    if there is None:
        return
    prefix, values = f"{folder.parent.name}/{folder.name}/", values_of(folder)
    known = {file.name: file.sha256 for file in (*described_of(folder), *values)}
    files = [path for path in sorted(folder.iterdir()) if path.name != MARK]
    files.sort(key=lambda path: path.name not in known)  # the manifest comes after what it names
    there.keep(
        {f"{prefix}{path.name}": path for path in files},
        release=manifest_of(folder).about.release,
        sums={f"{prefix}{name}": digest for name, digest in known.items()},
    )
    write_atomically(folder / MARK, prefix)
    for file in values:
        (folder / file.name).unlink(missing_ok=True)


def let_go(parts: Parts, folder: Path) -> None:
    """Of the values of an export, wherever they lie; what says of what it was stays in its folder.

    FilesError where they are not all gone; then it may be tried again.
    """
    mark = folder / MARK
    if mark.is_file():
        _of_this_archive(parts, folder).let_go(mark.read_text())
        mark.unlink()
    for file in values_of(folder):
        (folder / file.name).unlink(missing_ok=True)


def told(folder: Path) -> str:
    """Where its values lie, for people: a place that `dayfly files ls` takes, or a folder."""
    mark = folder / MARK
    return f"{BUCKET}/{mark.read_text()}" if mark.is_file() else str(folder)


@contextmanager
def laid_out(parts: Parts, folder: Path) -> Iterator[Path]:
    """A folder with all files of an export: those in the archive, and those that only we have."""
    mark = folder / MARK
    if not mark.is_file():
        yield folder
        return
    there = _of_this_archive(parts, folder)
    with tempfile.TemporaryDirectory(dir=parts.home.run, prefix="preserved-") as name:
        place = Path(name)
        with there.laid_out(mark.read_text(), place):
            for path in folder.iterdir():
                if not (place / path.name).exists():
                    (place / path.name).symlink_to(path)
            yield place


def _of_this_archive(parts: Parts, folder: Path) -> Safe:
    there = safe(parts)
    if there is None:
        raise FilesError(
            f"{told(folder)} lies in the archive that this environment had before",
            hint='Set store = "archive" or the folder that it was in [files], and try again.',
        )
    return there
