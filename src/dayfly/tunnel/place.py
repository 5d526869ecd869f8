"""The folder of a tunnel in DAYFLY_HOME, and what lies in it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import msgspec

from dayfly.clock import DeadlineError, wait_until
from dayfly.config.tunnel_rules import Network
from dayfly.durable import locked, locks, translated, write_atomically
from dayfly.stored import read_json
from dayfly.tunnel.problem import UnseenError

LOCK_SECONDS = 0.5
LOG = "charon.log"  # of the IKE daemon


@dataclass(frozen=True, kw_only=True)
class State:
    """What was changed on this machine, written before it is done; `down` takes it back."""

    undo: tuple[tuple[str, ...], ...] = ()
    kernel: bool = False  # whether the kernel has ESP
    settings: str = ""  # what it was brought up with
    networks: tuple[str, ...] = ()  # of the other site: nothing for them leaves in clear

    taken: tuple[str, ...] = ()  # own networks that an address was taken in

    @property
    def theirs(self) -> tuple[Network, ...]:
        return tuple(ip_network(text) for text in self.networks)

    @property
    def ours_taken(self) -> tuple[Network, ...]:
        return tuple(ip_network(text) for text in self.taken)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What the keeper tells of its work."""

    pid: int = 0  # of whom
    settings: str = ""  # what the IKE daemon was told
    problem: str = ""  # why there is no daemon
    restored: tuple[str, ...] = ()  # what somebody took away, and is there again


@dataclass(frozen=True)
class Place:
    folder: Path

    @property
    def state_file(self) -> Path:
        return self.folder / "state.json"

    @property
    def lock(self) -> Path:
        """Held for as long as somebody looks after the IKE daemon."""
        return self.folder / "keeper.lock"

    @property
    def configuration(self) -> Path:
        return self.folder / "strongswan.conf"

    @property
    def firewall(self) -> Path:
        return self.folder / "firewall.nft"

    @property
    def closed(self) -> Path:
        """Does the same as a script of a shell, at boot."""
        return self.folder / "closed.sh"

    @property
    def kept_file(self) -> Path:
        return self.folder / "keeper.json"

    @property
    def vici(self) -> Path:
        return self.folder / "charon.vici"

    @property
    def pid(self) -> Path:
        return self.folder / "charon.pid"

    @property
    def log(self) -> Path:
        return self.folder / LOG

    @property
    def keeper_log(self) -> Path:
        return self.folder / "keeper.log"

    @property
    def authority(self) -> Path:
        """The environment's own, on the machine that signs."""
        return self.folder.parent / "ca"

    @property
    def revoked(self) -> Path:
        return self.folder / "crl.pem"

    @property
    def seen(self) -> Path:
        """Where those that call were last."""
        return self.folder / "seen.json"

    @property
    def loaded(self) -> Path:
        """What the IKE daemon was told, whoever keeps it."""
        return self.folder / "loaded.json"

    @property
    def names(self) -> Path:
        """Where those of gateways led last."""
        return self.folder / "names.json"

    def credentials(self, site: str) -> Path:
        return self.folder / f"{site}.pem"

    def make(self) -> None:
        with translated(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o700)

    def state(self) -> State:
        return read_json(self.state_file, State, absent=State())

    def remember(self, state: State) -> None:
        write_atomically(self.state_file, msgspec.json.encode(state))

    def told(self) -> Kept:
        """By the keeper that there is; nothing by one of before."""
        kept = read_json(self.kept_file, Kept, absent=Kept())
        return kept if kept.pid == self.keeper() else Kept()

    def tell(self, kept: Kept) -> None:
        write_atomically(self.kept_file, msgspec.json.encode(kept))

    def last_lines(self, limit: int = 65536) -> list[str]:
        """Of the IKE daemon's log."""
        with translated(self.log):
            if not self.log.exists():
                return []
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - limit))
                return file.read().decode(errors="replace").splitlines()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Bring the tunnel up or down alone: who comes second waits for the first to be done."""
        self.make()
        with locked(self.folder / "changing.lock"):
            yield

    @contextmanager
    def kept(self) -> Iterator[bool]:
        """Look after the tunnel, alone: False when somebody else does. Ends with the process."""
        self.make()
        descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:  # not at once: who only looks holds it for a moment
                wait_until(lambda: locks(descriptor), seconds=LOCK_SECONDS, what="the lock")
            except DeadlineError:
                yield False
                return
            os.ftruncate(descriptor, 0)
            os.write(descriptor, str(os.getpid()).encode())
            yield True
        finally:
            os.close(descriptor)

    def is_kept(self) -> bool:
        try:
            descriptor = os.open(self.lock, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except PermissionError as error:  # what root made is for root alone
            raise UnseenError from error
        try:
            return not locks(descriptor, shared=True)
        finally:
            os.close(descriptor)

    def keeper(self) -> int | None:
        """The pid of who looks after it."""
        if not self.is_kept():
            return None
        with suppress(ValueError):
            return int(self.lock.read_text())
        return None
