"""A real sshd on loopback, for whoever runs the tests, as a process of its own."""

import getpass
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from dayfly.clock import wait_until
from dayfly.command import CommandError, output_of, which
from ports import free_port

UNPACKED = Path(__file__).with_name("openssh-server") / "usr/sbin/sshd"
# For root it wants a user and a folder, which only its own mounts have.
AS_ROOT = """\
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd
mount --bind {passwd} /etc/passwd
exec {sshd}
"""
SETTINGS = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {folder}/authorized
StrictModes no
UsePAM no
PermitRootLogin yes
SetEnv PATH={path}
"""
CLIENT = """\
Host *
  IdentityFile {key}
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile /dev/null
"""


@dataclass(frozen=True)
class Sshd:
    folder: Path
    port: int

    @property
    def address(self) -> str:
        return f"{getpass.getuser()}@127.0.0.1:{self.port}"

    @property
    def fingerprint(self) -> str:
        return output_of(["ssh-keygen", "-lf", str(self.folder / "host.pub")]).split()[1]

    @property
    def key(self) -> str:
        """As known_hosts has it."""
        return " ".join((self.folder / "host.pub").read_text().split()[:2])

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    def person(self, name: str, rules: str | None = "") -> Path:
        """The ssh configuration of a person whose key is let in by `rules`; None: it is not."""
        key, config = self.folder / name, self.folder / f"{name}.config"
        if not key.exists():
            _make_key(key)
            if rules is not None:
                with (self.folder / "authorized").open("a") as known:
                    known.write(f"{rules} {key.with_suffix('.pub').read_text()}")
            config.write_text(CLIENT.format(key=key, folder=self.folder))
        return config


@contextmanager
def sshd(folder: Path, path: str) -> Iterator[Sshd]:
    """`path`: where its commands are found."""
    made = Sshd(folder, free_port())
    _make_key(folder / "host")
    (folder / "authorized").touch()
    settings = folder / "sshd_config"
    settings.write_text(SETTINGS.format(port=made.port, folder=folder, path=path))
    argv = [_program(), "-D", "-e", "-f", str(settings)]
    if os.geteuid() == 0:
        argv = ["unshare", "--mount", "sh", "-ec", _as_root(folder, argv)]
    with (folder / "sshd.log").open("wb") as log:
        process = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_until(lambda: _answers(made), seconds=30, what="sshd answers")
        yield made
    finally:
        process.terminate()
        process.wait()


def _as_root(folder: Path, argv: list[str]) -> str:
    passwd = folder / "passwd"
    users = Path("/etc/passwd").read_text()
    if "\nsshd:" not in users:
        users += "sshd:x:19998:65534::/run/sshd:/usr/sbin/nologin\n"
    passwd.write_text(users)
    return AS_ROOT.format(passwd=shlex.quote(str(passwd)), sshd=shlex.join(argv))


def _program() -> str:
    program = which("sshd") or (str(UNPACKED) if UNPACKED.exists() else None)
    if program is None:
        why = "no sshd: scripts/test fetches it (openssh-server)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    return program


def _make_key(file: Path) -> None:
    output_of(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)])


def _answers(made: Sshd) -> bool:
    scan = ["ssh-keyscan", "-T", "2", "-t", "ed25519", "-p", str(made.port), "127.0.0.1"]
    try:
        return "ssh-ed25519" in output_of(scan)
    except CommandError:
        return False
