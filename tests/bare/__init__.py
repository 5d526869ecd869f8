"""A bare Debian that a real sshd answers for, in a container with a network of its own."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dayfly.clock import Stop, wait_until
from dayfly.command import CommandError, output_of
from dayfly.config.inherited import inherited_for_builds
from dayfly.hosts.keys import keys_of
from dayfly.images.base import made_base
from dayfly.images.dockerfile import ca_bundle_of
from production.environment import DAYFLY, ROOTS

IMAGE = "dayfly-test/bare"
DOCKERFILE = """\
FROM {base}
RUN apt-get -qq update && apt-get -qq install -y --no-install-recommends \\
    dbus openssh-server procps sudo systemd systemd-sysv >/dev/null && rm /etc/ssh/ssh_host_*
RUN useradd --create-home --shell /bin/sh deploy && useradd --create-home --shell /bin/sh guest
RUN echo 'deploy ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/deploy
RUN systemctl mask systemd-resolved.service systemd-networkd.service systemd-logind.service
STOPSIGNAL SIGRTMIN+3
CMD ["/sbin/init"]
"""
# As little as systemd needs: its own cgroups, and mounts.
CONFINED = (
    "--cgroupns=private", "--cap-add=SYS_ADMIN", "--cap-add=NET_ADMIN",
    "--security-opt=seccomp=unconfined", "--env=container=docker",
    "--tmpfs=/run", "--tmpfs=/run/lock", "--tmpfs=/tmp:exec,mode=1777",
)  # fmt: skip


@dataclass(frozen=True)
class Ran:
    status: int
    said: str


@dataclass(frozen=True)
class Bare:
    """A host that nothing was done to, and whoever types `dayfly host`."""

    container: str
    address: str
    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    def type(self, *words: str) -> Ran:
        """`dayfly host WORDS`, with the ssh configuration of this person."""
        return self._ran(self._argv("host", *words))

    def log_in(self, user: str) -> Ran:
        """`dayfly login` to its environment, by ssh."""
        return self._ran(self._argv("login", f"ssh://{user}@{self.address}"))

    def far(self, *words: str) -> Ran:
        """`dayfly WORDS` for its environment, from elsewhere."""
        return self._ran([*DAYFLY, "-e", "far", *words])

    def _ran(self, argv: list[str]) -> Ran:
        done = subprocess.run(
            argv,
            env=self._surroundings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=580,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode())

    @contextmanager
    def typing(self, *words: str) -> Iterator["subprocess.Popen[str]"]:
        """The same while the block runs."""
        with subprocess.Popen(
            self._argv("host", *words),
            env=self._surroundings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def _argv(self, *words: str) -> list[str]:
        return [*DAYFLY, *words, "--ssh-config", str(self.config)]

    @property
    def _surroundings(self) -> dict[str, str]:
        source = os.pathsep.join([str(ROOTS / "src"), str(ROOTS / "tests")])
        return {**os.environ, "PYTHONPATH": source, "NO_COLOR": "1", "HOME": str(self.folder)}

    def inside(self, command: str) -> str:
        """What a command of its root prints."""
        return output_of(["docker", "exec", self.container, "sh", "-ec", command], seconds=300)

    def become_root(self, user: str) -> str:
        """What root is told, for whoever logs in there."""
        ssh = ["ssh", "-F", str(self.config), "-o", "BatchMode=yes", f"{user}@{self.address}"]
        return output_of([*ssh, "sudo -n id -un"]).strip()

    def packages(self) -> set[str]:
        shown = "dpkg-query -W -f '${db:Status-Status} ${Package}\\n'"
        return set(self.inside(f"{shown} | sed -n 's/^installed //p'").split())

    def fingerprint(self) -> str:
        key = "/etc/ssh/ssh_host_ed25519_key.pub"
        return self.inside(f"ssh-keygen -lf {key}").split()[1]

    def offers(self, fingerprint: str) -> bool:
        """Whether its sshd shows this key by now."""
        scanned = output_of(["ssh-keyscan", "-T", "2", "-t", "ed25519", self.address])
        return fingerprint in {key.fingerprint for key in keys_of(scanned)}


def image(folder: Path, suite: str) -> str:
    base = made_base(folder, print, Stop(), suite)
    (folder / "Dockerfile").write_text(DOCKERFILE.format(base=base))
    name = f"{IMAGE}:{suite}"
    output_of(["docker", "build", "--quiet", "--tag", name, str(folder)], seconds=300)
    return name


@contextmanager
def bare(folder: Path, suite: str) -> Iterator[Bare]:
    """One that starts again when it reboots; `deploy` becomes root there, `guest` does not."""
    made = image(folder, suite)
    run = ["docker", "run", "--detach", "--restart=always", *CONFINED]
    container = output_of([*run, made]).strip()
    try:
        shown = "{{.NetworkSettings.Networks.bridge.IPAddress}}"
        address = output_of(["docker", "inspect", f"--format={shown}", container]).strip()
        host = Bare(container, address, folder)
        _furnish(host)
        wait_until(lambda: _answers(host), seconds=30, what="sshd answers")
        yield host
    finally:
        with suppress(CommandError):
            output_of(["docker", "rm", "--force", "--volumes", container])


def _furnish(host: Bare) -> None:
    """A person's key, and how this network reaches the registry of Python."""
    key = host.folder / "key"
    for each in (key, host.folder / "other"):
        output_of(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(each)])
    host.config.write_text(
        f"Host *\n  IdentityFile {key}\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {host.known_hosts}\n  GlobalKnownHostsFile /dev/null\n"
    )
    public = key.with_suffix(".pub").read_text().strip()
    for name in ("deploy", "guest"):
        home = f"/home/{name}/.ssh"
        host.inside(
            f"mkdir -m 700 {home}; echo '{public}' > {home}/authorized_keys; chown -R {name} {home}"
        )
    inherited = inherited_for_builds()
    lines = [
        f"{name.removeprefix('PIP_').lower().replace('_', '-')} = {value}"
        for name, value in inherited.items()
        if name in {"PIP_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_PROXY"}
    ]
    if bundle := ca_bundle_of(inherited):
        output_of(["docker", "cp", str(bundle), f"{host.container}:/etc/ssl/registry.crt"])
        lines.append("cert = /etc/ssl/registry.crt")
    text = "\\n".join(["[global]", *lines])
    host.inside(f"printf '{text}\\n' > /etc/pip.conf")
    host.inside(
        "until systemctl is-system-running | grep -q 'running\\|degraded'; do sleep 0.2; done"
    )
    host.inside("ssh-keygen -A; systemctl reset-failed; systemctl restart ssh.service")


def _answers(host: Bare) -> bool:
    try:
        return bool(output_of(["ssh-keyscan", "-T", "2", "-t", "ed25519", host.address]))
    except CommandError:
        return False
