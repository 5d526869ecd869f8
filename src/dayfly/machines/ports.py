"""Which port a machine gets: one that no environment of this host uses or has handed out."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dayfly.machines.machine import MachineError

FIRST, LAST = 20000, 31999
SHARED = Path("/dev/shm/dayfly-ports")  # noqa: S108 - of all users of this host; sticky, ends at reboot
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


@dataclass(frozen=True)
class Ports:
    """Reservations of one environment, as files named by port that say who holds it.

    Ports are handed out in a circle, so that a freed one rests long before it is used again:
    nobody's late connection reaches a stranger.
    """

    environment: str
    shared: Path = SHARED
    first: int = FIRST
    last: int = LAST

    def reserve(self, machine: str) -> int:
        """A port for `machine`, held until `free`; MachineError when none is left."""
        last = min(self.last, _ephemeral_start() - 1)
        with self._locked() as lock:
            begin = _next_in(os.pread(lock, 64, 0).decode(errors="replace"), self.first, last)
            for port in circle(self.first, last, begin):
                if not os.path.lexists(self.shared / str(port)) and _is_unused(port):
                    self._write(port, machine)
                    os.ftruncate(lock, 0)
                    os.pwrite(lock, str(port + 1).encode(), 0)
                    return port
        raise MachineError(
            f"no free port between {self.first} and {last}",
            hint="Each machine needs one; `dayfly machines` shows what runs.",
        )

    def claim(self, port: int, holder: str) -> bool:
        """Hold this port, whatever its number; False when another one has it."""
        with self._locked():
            if os.path.lexists(self.shared / str(port)) or not _is_unused(port):
                return False
            self._write(port, holder)
            return True

    def give_back(self, port: int) -> None:
        (self.shared / str(port)).unlink(missing_ok=True)

    def free(self, machine: str) -> None:
        """All that `machine` holds."""
        for path in self.shared.glob("[0-9]*"):
            with suppress(FileNotFoundError):
                if path.read_text() == self._mark(machine):
                    path.unlink()

    def _mark(self, machine: str) -> str:
        return f"{self.environment} {machine}"

    def _write(self, port: int, machine: str) -> None:
        """Through no link that somebody else may have put there."""
        how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(self.shared / str(port), how, 0o644), "w") as file:
            file.write(self._mark(machine))

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The host-wide lock; its file also says which port is next."""
        with _opened(self.shared / "lock") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle


def circle(first: int, last: int, begin: int) -> Iterator[int]:
    """All ports once, from `begin` on and around."""
    yield from range(begin, last + 1)
    yield from range(first, begin)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    if not path.parent.exists():
        with suppress(FileExistsError):
            path.parent.mkdir()
            path.parent.chmod(0o1777)
    try:
        handle = _open_or_create(path)
    except OSError as error:
        raise MachineError(
            f"{path}: {error.strerror}", hint="All users of this host must be able to write it."
        ) from error
    try:
        yield handle
    finally:
        os.close(handle)


def _open_or_create(path: Path) -> int:
    """Without O_CREAT first: `fs.protected_regular` refuses that for another user's file."""
    try:
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        pass
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)
    except FileExistsError:
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    os.fchmod(handle, 0o666)
    return handle


def _next_in(text: str, first: int, last: int) -> int:
    return int(text) if text.isdecimal() and first <= int(text) <= last else first


def _ephemeral_start() -> int:
    return int(EPHEMERAL.read_text().split()[0])


def _is_unused(port: int) -> bool:
    with socket.socket() as candidate:
        try:
            candidate.bind(("0.0.0.0", port))  # noqa: S104 - only tried, never listened on
        except OSError:
            return False
    return True
