"""What whoever names files should know of them: those that are not read, or not yet."""

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from dayfly.logs.forwarder.rotated import PACKED
from dayfly.logs.forwarder.stamps import Watch

SHOWN = 3  # names; the rest is counted


def remarks(watch: Watch) -> Iterator[str]:
    """Of the files there are now."""
    named = watch.root / watch.pattern
    found = sorted(watch.root.glob(watch.pattern))
    if not found and not named.is_symlink():  # a link that leads nowhere
        yield f"{named}: nothing is there yet; what appears there is read"
        return
    if not found or found == [named]:
        yield from filter(None, [_remark(named)])
        return
    links = [path.name for path in found if path.is_symlink()]
    if links:
        yield f"{named}: links are not read: {_listed(links)}"
    for path in found:
        if not path.is_symlink() and path.is_file():
            yield from filter(None, [_remark(path)])


def _remark(path: Path) -> str:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return f"{path}: this is a link, which is not read; name the file: {path.resolve()}"
    if stat.S_ISDIR(mode):
        return f"{path}: this is a folder, which is not read; name files in it: '{path}/*.log'"
    if not stat.S_ISREG(mode):
        return f"{path}: this is no file; a pipe, a socket or a device is not read"
    if path.suffix in PACKED:
        return f"{path}: this is packed, which is not read"
    return ""


def _listed(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
