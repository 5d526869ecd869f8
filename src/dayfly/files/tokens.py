"""Which token a lease gets: of a name of a key never one that somebody has had already.

A token fences off who had the lease before only if it is not given twice, also where the bucket
was deleted and made anew.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from dayfly.durable import FileError, write_atomically
from dayfly.files.objects import Lease
from dayfly.files.system import fsync
from dayfly.files.tree import SIDECAR, Tree
from dayfly.stored import read_json

FLOOR = "floor"  # beside the leases: no token of the bucket is as small


def next_token(tree: Tree, bucket: str, before: Lease | None) -> int:
    return (before.token if before else _floor(tree.leases(bucket))) + 1


def outlive(tree: Tree, bucket: str) -> None:
    """Of a bucket that goes: its leases go, and the greatest token is remembered."""
    folder = tree.leases(bucket)
    if not folder.is_dir():
        return
    leases = sorted(folder.glob(f"[!.]*{SIDECAR}"))
    greatest = max([_floor(folder), *_tokens(leases)])
    if greatest:
        write_atomically(folder / FLOOR, msgspec.json.encode(greatest), 0o644)
    for path in leases:
        path.unlink(missing_ok=True)
    fsync(folder)


def _floor(folder: Path) -> int:
    return read_json(folder / FLOOR, int, absent=0)


def _tokens(leases: Iterable[Path]) -> Iterator[int]:
    for path in leases:
        with suppress(FileError):  # damaged, and no reason to keep the bucket
            yield read_json(path, Lease).token
