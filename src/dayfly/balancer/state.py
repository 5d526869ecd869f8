"""The balancer's files: `state.json` is the intention, all the others are rendered from it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from dayfly import typed
from dayfly.balancer.routing import BalancerError, Routing

STATE = "state.json"
LISTEN = "listen.json"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Listen:
    """What the settings say, for the keeper, which reads no settings file."""

    environment: str  # its id; tells our HAProxy from others
    http: str
    https: str | None = None
    certificates: str = ""  # folder of PEM files, relative to the balancer's own
    program: str | None = None
    access_log: int = 256 * 1024 * 1024  # bytes at which the log begins anew
    files: str = ""  # the host name of the file archive, whose buckets are hosts below it
    files_socket: str = ""  # where it answers, relative to the balancer's folder


def read_routing(folder: Path) -> Routing:
    """What is intended; nothing yet when no file is there."""
    return _read(folder / STATE, Routing) or Routing()


def write_routing(folder: Path, routing: Routing) -> None:
    """Replace the intention in one durable step: a crash leaves the one before or this one."""
    write_durably(folder / STATE, msgspec.json.encode(routing))


def read_listen(folder: Path) -> Listen | None:
    return _read(folder / LISTEN, Listen)


def write_listen(folder: Path, listen: Listen) -> None:
    write_durably(folder / LISTEN, msgspec.json.encode(listen))


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Between the server, which changes the intention, and the keeper, which renders it."""
    with (folder / "state.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_durably(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_rendered(folder: Path, files: dict[str, str]) -> None:
    """Write what changed. Not durable on purpose: each start of HAProxy renders them again."""
    for name in ("maps", "pages"):
        (folder / name).mkdir(exist_ok=True)
    for name, text in files.items():
        path, data = folder / name, text.encode()
        if path.exists() and path.read_bytes() == data:
            continue
        temporary = path.with_name(f".{path.name}.tmp")
        temporary.write_bytes(data)
        temporary.rename(path)
    for path in (folder / "pages").iterdir():  # of apps that are open again
        if f"pages/{path.name}" not in files:
            path.unlink()


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return typed.decode(path.read_bytes(), kind)
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        raise BalancerError(
            f"{path}: {error}",
            hint="Dayfly alone writes this file; restore it from a backup or move it away.",
        ) from error
