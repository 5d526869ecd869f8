"""The way to a server that only its own host reaches: each connection is forwarded by an ssh."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socket import socket

from dayfly.command import CommandError, Connected, connected
from dayfly.hosts.address import HostError
from dayfly.hosts.ssh import Ssh

# It ends with its connection, and may not take with it what would share it.
_ALONE = ("-o", "ControlMaster=no")
ENDS_SECONDS = 1.0  # for ssh to say why, once nothing comes through


@dataclass(frozen=True)
class Forwarded:
    """One connection."""

    ssh: Ssh
    connected: Connected

    @property
    def socket(self) -> socket:
        return self.connected.socket

    def failure(self) -> HostError | None:
        ended = self.connected.ended(seconds=ENDS_SECONDS)
        if ended is None or not ended.status:
            return None
        return refusal(self.ssh, ended.output)


@dataclass(frozen=True, kw_only=True)
class Forwarding:
    ssh: Ssh

    @property
    def end(self) -> str:
        return str(self.ssh.address)

    @contextmanager
    def line(self, host: str, port: int) -> Iterator[Forwarded]:
        target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            with connected(self.ssh.argv(*_ALONE, "-W", target)) as made:
                yield Forwarded(self.ssh, made)
        except CommandError as error:
            raise self.ssh.unreachable("", error.message) from error


def refusal(ssh: Ssh, said: str) -> HostError | None:
    """What an ssh said when it ended; None where it reached the host, and nobody listens there."""
    if "administratively prohibited" in said:
        return HostError(
            f"the sshd of {ssh.address} forwards no connection to its server",
            hint="In its sshd_config: AllowTcpForwarding local (or yes), and no PermitOpen that"
            " leaves the server out.",
        )
    if "open failed" in said:
        return None
    return ssh.unreachable(said, "ssh ended")
