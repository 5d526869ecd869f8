"""What the file system under an archive keeps: asked of it by a race, before anybody relies on it.

Versions are hard links, so there is no archive without these. Locks and the name that only one of
many can take decide who of several writers is first. Where the mount does not keep them, locks lie
beside the index, on the local disk: they hold among the processes of this host, and a write that
is conditional is refused, as nobody can promise what a writer on another host has done meanwhile.
"""

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dayfly import typed
from dayfly.durable import write_atomically
from dayfly.files.errors import FilesError
from dayfly.files.system import made, translated
from dayfly.stored import read_json

RACERS, ROUNDS, EVERY_SECONDS = 8, 25, 0.01
TOLD = "mount.json"  # beside the index


@dataclass(frozen=True, kw_only=True)
class Mount:
    """`exclusive`: of racing writers exactly one is first. `why` not."""

    exclusive: bool = True
    why: str = ""


LOCAL = Mount()


@dataclass(frozen=True, kw_only=True)
class Race:
    """What one racer met: rounds in which it got the name, and how often it had the lock."""

    won: tuple[int, ...] = ()
    locked: int = 0
    failed: str = ""


def verdict(races: Sequence[Race], counted: int, rounds: int = ROUNDS) -> Mount:
    """`counted` is what they have counted together, each while it had the lock."""
    if failed := next((race.failed for race in races if race.failed), ""):
        return Mount(exclusive=False, why=failed)
    winners = [sum(number in race.won for race in races) for number in range(rounds)]
    wrong = next((found for found in winners if found != 1), 1)
    if wrong != 1:
        return Mount(exclusive=False, why=f"{wrong} of {len(races)} writers got one name")
    wanted = sum(race.locked for race in races)
    if counted != wanted:
        why = f"{wanted} writers had the lock, and {counted} of their changes are there"
        return Mount(exclusive=False, why=why)
    return LOCAL


def told(index: Path) -> Mount:
    """What was found when the service last began."""
    path = index / TOLD
    return read_json(path, Mount) if path.exists() else LOCAL


def probed(root: Path, index: Path) -> Mount:
    """Race writers over the folder, and keep what came of it; a disk of this host needs no race.

    FilesError where there can be no archive.
    """
    with translated(root):
        made(index)
        if not root.is_dir() or root.stat().st_dev == index.stat().st_dev:
            found = LOCAL
        else:
            found = _raced(root)
    if found == LOCAL:
        (index / TOLD).unlink(missing_ok=True)
    else:
        write_atomically(index / TOLD, msgspec.json.encode(found))
    return found


def _raced(root: Path) -> Mount:
    folder = root / ".dayfly" / f"probe-{secrets.token_hex(4)}"
    made(folder)
    try:
        _check_links(folder)
        (folder / "count").write_text("0")
        begins = time.monotonic() + 0.1
        readers = [_begun(folder, number, begins) for number in range(RACERS)]
        races = [_heard(*each) for each in readers]
        return verdict(races, int((folder / "count").read_text() or "0"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # of an archive, or of a folder that is to be one
            folder.parent.rmdir()


def _check_links(folder: Path) -> None:
    one, other = folder / "one", folder / "other"
    one.write_bytes(b"1")
    try:
        os.link(one, other)
    except OSError as error:
        raise FilesError(
            f"{folder.parent.parent}: this file system has no hard links ({error.strerror}), "
            "which versions are kept by",
            hint="Use a local disk, NFS, or SMB with Unix extensions, or a bucket: s3://…",
        ) from error


def _begun(folder: Path, number: int, begins: float) -> tuple[int, int]:
    """A racer: its process, and where it tells what it met."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return pid, reader
    try:
        with suppress(OSError):
            os.write(writer, msgspec.json.encode(_race(folder, number, begins)))
    finally:
        os._exit(0)


def _heard(pid: int, reader: int) -> Race:
    with os.fdopen(reader, "rb") as file:
        text = file.read()
    os.waitpid(pid, 0)
    return typed.decode(text, Race) if text else Race(failed="a writer did not end")


def _race(folder: Path, number: int, begins: float) -> Race:
    mine, won, locked = folder / f"racer-{number}", list[int](), 0
    try:
        mine.write_bytes(b"1")
        for each in range(ROUNDS):
            time.sleep(max(0.0, begins + each * EVERY_SECONDS - time.monotonic()))
            with suppress(FileExistsError):
                os.link(mine, folder / f"name-{each}")
                won.append(each)
            _count(folder / "count")
            locked += 1
    except OSError as error:
        return Race(failed=f"{error.strerror}")
    return Race(won=tuple(won), locked=locked)


def _count(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        found = int(os.pread(descriptor, 20, 0) or b"0")
        os.pwrite(descriptor, str(found + 1).encode(), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
