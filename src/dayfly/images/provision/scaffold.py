"""A container in which the steps of an image are done, to be kept as a layer or thrown away."""

import os
import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from dayfly.command import CommandError, Setting, run
from dayfly.config.inherited import inherited_with
from dayfly.images.builder import BuildError, OnLine
from dayfly.images.dockerfile import CA_BUNDLE, arguments_of, ca_bundle_of
from dayfly.images.engine import docker, translated
from dayfly.images.shellwords import exports
from dayfly.images.workplace import Builders, failed

INSIDE = "/run/dayfly"  # what we tell a step, which no layer keeps; machines have theirs there, too
_CERTIFICATES = "ca.crt"
_START_SECONDS = 120.0
_REFUSED = "docker: Error response from daemon"
# Debian asks it before a package's service is started; there is nobody here to serve.
_POLICY = "/usr/sbin/policy-rc.d"
_BEGIN = f"""\
[ -e {_POLICY} ] || {{
    mkdir -p {Path(_POLICY).parent}
    printf '#!/bin/sh\\nexit 101\\n#dayfly\\n' > {_POLICY}
    chmod 755 {_POLICY}
}}
"""
CLEAN = f"""\
! grep -qs '^#dayfly$' {_POLICY} || rm {_POLICY}
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/aux-cache
rm -rf /root/.ansible /root/.cache
rm -f /var/lib/dpkg/*-old /var/cache/debconf/*-old /var/log/dpkg.log /var/log/apt/* \
  /var/log/alternatives.log
[ ! -s /etc/machine-id ] || : >/etc/machine-id
rm -f /var/lib/dbus/machine-id
for key in /etc/ssh/ssh_host_*_key; do
    ! grep -qs " root@$(cat /proc/sys/kernel/hostname)$" "$key.pub" || rm "$key" "$key.pub"
done
"""


# The variables come on standard input: what docker is told of them would be kept in the layer.
_ONLY = f"""\
eval "$(cat)"
exec </dev/null
{_BEGIN}
/bin/sh -e -c "$1"
{CLEAN}
"""


@dataclass(frozen=True, kw_only=True)
class Scaffold:
    """Not started: `only` does one command in it, `start` lets several be `run`, then `tidy`."""

    image: str
    container: str
    builders: Builders
    told: Path  # which it sees at INSIDE

    def with_lines(self, on_line: OnLine) -> "Scaffold":
        return replace(self, builders=replace(self.builders, on_line=on_line))

    def start(self) -> None:
        """Let it wait for what is to be run."""
        argv = ["docker", "run", "--detach", *self._words, "-c", "exec sleep infinity"]
        try:
            run(argv, seconds=_START_SECONDS)
        except CommandError as error:
            raise self._refused(error) from error
        self.run(_BEGIN, title="preparing the container")

    def only(self, command: str, *, title: str, secrets: Mapping[str, str]) -> None:
        """A shell command as root, and nothing else, between preparing and tidying up.

        It is the container's own program: quicker than to start one and then talk to it.
        """
        about, env = self.builders, {**self.environment, **secrets}
        argv = [
            "docker", "run", "--interactive", "--sig-proxy=false", "--log-driver=none",
            *self._words, "-e", "-c", _ONLY, "sh", command,
        ]  # fmt: skip
        try:
            with readable(exports(env)) as told:
                setting = Setting(stdin=told)
                run(
                    argv, setting=setting, on_line=about.on_line, stop=about.stop, seconds=self.left
                )  # fmt: skip
        except CommandError as error:
            if _REFUSED in error.tail:
                raise self._refused(error) from error
            raise failed(title, error, about.ends) from error

    @property
    def _words(self) -> list[str]:
        """For `docker run`, up to the arguments of its shell."""
        return [
            f"--name={self.container}", "--user=0:0", "--network=host", "--workdir=/",
            "--tmpfs=/tmp:exec,mode=1777", f"--volume={self.told}:{INSIDE}:ro",
            "--entrypoint=/bin/sh", self.image,
        ]  # fmt: skip

    def _refused(self, error: CommandError) -> BuildError:
        if "/bin/sh" not in error.tail:
            return translated(error)
        return BuildError(
            f"{self.image} has no /bin/sh, so that no step can be done in it",
            hint="Take another base, or build it with `dockerfile`.",
        )

    def run(self, command: str, *, title: str, secrets: Mapping[str, str] | None = None) -> None:
        """A shell command as root; BuildError tells how it failed."""
        env = {**self.environment, **(secrets or {})}
        argv = [*self.argv(env), "/bin/sh", "-e", "-c", command]
        about, setting = self.builders, Setting(env=inherited_with(**env))
        try:
            run(argv, setting=setting, on_line=about.on_line, stop=about.stop, seconds=self.left)
        except CommandError as error:
            raise failed(title, error, about.ends) from error

    def argv(self, names: Mapping[str, str]) -> list[str]:
        """The beginning of a command in the container, which takes these variables from ours."""
        told = (word for name in sorted(names) for word in ("--env", name))
        return ["docker", "exec", "--interactive", *told, self.container]

    def put(self, origin: Path, target: str) -> None:
        """A file or folder of ours, which root owns then."""
        folder = shlex.quote(target if origin.is_dir() else str(Path(target).parent))
        self.run(f"mkdir -p {folder}", title=f"making {folder}")
        inside = f"{origin}/." if origin.is_dir() else str(origin)
        docker("cp", inside, f"{self.container}:{target}")

    def tidy(self) -> None:
        self.run(CLEAN, title="tidying up")

    def keep(self, name: str, about: str) -> None:
        """Make a layer of what is there; how it would start says who builds on it."""
        docker("commit", f"--message={about}", self.container, name)

    @property
    def left(self) -> float:
        return max(self.builders.ends - time.monotonic(), 0.0)

    @property
    def environment(self) -> dict[str, str]:
        """What commands in the container may know of ours: proxies, registries, their CAs."""
        known = arguments_of(self.builders.inherited, {})
        mounted = f"{INSIDE}/{_CERTIFICATES}"
        has_bundle = ca_bundle_of(self.builders.inherited) is not None
        told = {
            name: mounted if value == CA_BUNDLE else value
            for name, value in known.items()
            if value != CA_BUNDLE or has_bundle
        }
        return {"DEBIAN_FRONTEND": "noninteractive", "LANG": "C.UTF-8", **told, **self.builders.env}


@contextmanager
def scaffold(image: str, name: str, told: Path, builders: Builders) -> Iterator[Scaffold]:
    """A container of `image` that sees the folder `told`; gone afterwards, whatever happens."""
    docker("rm", "--force", name)  # one that a crash left
    if bundle := ca_bundle_of(builders.inherited):
        (told / _CERTIFICATES).write_bytes(bundle.read_bytes())
    try:
        yield Scaffold(image=image, container=name, builders=builders, told=told)
    finally:
        docker("rm", "--force", "--volumes", name)


@contextmanager
def readable(text: str, uid: int | None = None) -> Iterator[int]:
    """A file of `uid` that has no name, in memory: secrets are in it, and no crash leaves them."""
    with open(os.memfd_create("told"), "wb+", buffering=0) as file:  # noqa: PTH123 - a descriptor
        os.fchmod(file.fileno(), 0o400)
        if uid is not None:
            os.fchown(file.fileno(), uid, uid)
        file.write(text.encode(errors="surrogateescape"))
        file.seek(0)
        yield file.fileno()
