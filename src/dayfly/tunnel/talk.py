"""Talking to our IKE daemon, over VICI."""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import vici  # type: ignore[import-untyped]
from vici.exception import CommandException, SessionException  # type: ignore[import-untyped]

from dayfly.errors import DayflyError
from dayfly.tunnel.connections import connections
from dayfly.tunnel.credentials import Credentials
from dayfly.tunnel.plan import Plan
from dayfly.tunnel.problem import TunnelError, UnseenError

SECONDS = 5.0  # that it may take to load what it is given …
ASK_SECONDS = 2.0  # … and to answer
LONGEST = 107  # bytes of a socket's path, as the kernel takes it
SILENT = "the IKE daemon does not answer"
Sa = Mapping[str, Any]


class NoDaemonError(DayflyError):
    """Our IKE daemon does not run."""


class SilentError(NoDaemonError):
    """It runs, and says nothing."""


class Daemon:
    """One conversation with it."""

    def __init__(self, session: vici.Session) -> None:
        self._session = session

    def load(
        self, plan: Plan, *, kernel: bool, credentials: Credentials | None, crl: bytes
    ) -> None:
        """All it needs to know, in the place of what it knew."""
        with _translated("the settings of the tunnel"):
            self._session.clear_creds()
            for peer in plan.peers:
                if peer.key is not None:
                    owners = [peer.own_identity, peer.identity]
                    shared = {"id": peer.name, "type": "IKE", "data": peer.key, "owners": owners}
                    self._session.load_shared(shared)
            if credentials:
                self._load_credentials(credentials, crl)
        self.load_connections(plan, kernel=kernel)

    def load_connections(self, plan: Plan, *, kernel: bool) -> None:
        """Each in the place of the one of its name."""
        with _translated("the settings of the tunnel"):
            for name, connection in connections(plan, kernel=kernel).items():
                self._session.load_conn({name: connection})

    def _load_credentials(self, credentials: Credentials, crl: bytes) -> None:
        self._session.load_key({"type": "any", "data": credentials.key})
        self._session.load_cert({"type": "X509", "flag": "NONE", "data": credentials.certificate})
        self._session.load_cert({"type": "X509", "flag": "CA", "data": credentials.ca})
        if crl:
            self._session.load_cert({"type": "X509_CRL", "flag": "NONE", "data": crl})

    def sas(self) -> dict[str, list[Sa]]:
        """The IKE SAs that there are, by the names of their connections."""
        found: dict[str, list[Sa]] = {}
        with _translated("what is established"):
            for one in self._session.list_sas():
                for name, sa in one.items():
                    found.setdefault(name, []).append(_read(sa))
        return found

    def initiate(self, name: str) -> None:
        """Begin to connect, without waiting for how it ends."""
        with _translated(name):
            list(self._session.initiate({"ike": name, "child": name, "timeout": "-1"}))

    def terminate(self, name: str) -> None:
        """Begin to end it, without waiting for the other side."""
        with _translated(name):
            list(self._session.terminate({"ike": name, "timeout": "-1"}))


@contextmanager
def talking(path: Path, *, seconds: float = SECONDS) -> Iterator[Daemon]:
    """NoDaemonError when nobody answers at this socket."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(seconds)
    try:
        try:
            connection.connect(str(path))
        except PermissionError as error:
            raise UnseenError from error
        except (TimeoutError, BlockingIOError) as error:  # more wait for it than it has room for
            raise SilentError(SILENT) from error
        except OSError as error:
            raise NoDaemonError(
                "the tunnel is not up: no IKE daemon of Dayfly runs here"
            ) from error
        yield Daemon(vici.Session(connection))
    finally:
        connection.close()


def require_short(path: Path) -> None:
    """TunnelError where it is too long for a socket's address."""
    if (length := len(os.fsencode(path))) > LONGEST:
        raise TunnelError(
            f"{path}: has {length} bytes, and the path of a socket may have {LONGEST}",
            hint="Name a shorter DAYFLY_HOME.",
        )


def answers(path: Path) -> bool:
    try:
        with talking(path, seconds=1) as daemon:
            daemon.sas()
    except DayflyError:
        return False
    return True


@contextmanager
def _translated(about: str) -> Iterator[None]:
    try:
        yield
    except CommandException as error:
        raise TunnelError(f"strongSwan refuses {about}: {error}") from error
    except TimeoutError as error:
        raise SilentError(SILENT) from error
    except (OSError, SessionException) as error:
        raise NoDaemonError(f"the IKE daemon does not answer: {error}") from error


def _read(value: Any) -> Any:  # noqa: ANN401 - a message of VICI: texts, lists and sections
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, list):
        return [_read(each) for each in value]
    return {key: _read(each) for key, each in value.items()}
