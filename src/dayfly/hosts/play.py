"""One run of a playbook of ours on a host, by the person's own ssh and nothing else of theirs.

What Ansible is told goes by files in a folder of this run.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from dayfly.ansible.controller import CALLBACKS, Maker, ansible
from dayfly.ansible.playbook import Playbook
from dayfly.ansible.workers import end_workers
from dayfly.clock import Stop
from dayfly.command import CommandError, Setting, output_of, run
from dayfly.config.home import cache_folder
from dayfly.config.inherited import inherited_with
from dayfly.hosts.address import HostError
from dayfly.hosts.ssh import STRICT, Ssh

PLAYBOOKS = Path(__file__).with_name("playbooks")
SCRIPTS = PLAYBOOKS / "roles/host/files"  # for the host's shell
ROLE = "host : "  # begins the names of its tasks
DEADLINE_SECONDS = 3600.0
PERSIST_SECONDS = 60  # that one connection serves the next task
_UNREACHABLE = 4  # exit status of ansible-playbook


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of it: the tasks that changed something, or would."""

    changed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Play:
    """A playbook for one host. `told` are its variables."""

    ssh: Ssh
    playbook: str
    told: Mapping[str, object]
    on_line: Callable[[str], None]
    stop: Stop = field(default_factory=Stop)

    def run(self, *, check: bool) -> Run:
        """With `check` nothing is changed. AnsibleError names the task that failed."""
        about = str(self.ssh.address)
        book = Playbook(f"the playbook for {about}", self._heard)
        tool = ansible(self._maker())
        with self._place() as (place, env):
            env["PATH"] = f"{tool.folder}:{env.get('PATH') or os.defpath}"
            words = ["--inventory", str(place / "inventory.json")]
            words += ["--extra-vars", f"@{place / 'told.json'}", *(["--check"] if check else [])]
            argv = [tool.playbook, *words, str(PLAYBOOKS / self.playbook)]
            setting = Setting(env=env, cwd=place)
            try:
                status = run(
                    argv, setting=setting, on_line=book.line, stop=self.stop,
                    seconds=DEADLINE_SECONDS, check=False,
                ).status  # fmt: skip
            except CommandError as error:
                raise HostError(f"{about}: {error.message}", hint=error.tail) from error
        if status == _UNREACHABLE:
            at = f" at task {book.task!r}" if book.task else ""
            raise HostError(
                f"the connection to {about} was lost{at}: {book.says or 'no answer'}",
                hint="Type the same again: what is done stays done, and it goes on from there.",
            )
        if status:
            raise book.failure(status)
        names = (name.removeprefix(ROLE) for name in book.changed)
        return Run(changed=tuple(dict.fromkeys(names)))

    def _heard(self, line: str) -> None:
        """What has changed is told at the end, and with `check` it has not."""
        if not line.startswith("changed: "):
            self.on_line(line.replace(ROLE, "", 1))

    def _maker(self) -> Maker:
        return Maker(
            home=cache_folder(),
            python=lambda: Path(sys.executable),
            inherited={},
            uid=None,
            on_line=self.on_line,
            stop=self.stop,
        )

    @contextmanager
    def _place(self) -> Iterator[tuple[Path, dict[str, str]]]:
        """Its name is short, since the path of a socket has to be."""
        with tempfile.TemporaryDirectory(prefix="dayfly-host-", dir="/tmp") as name:
            place = Path(name)
            (place / "inventory.json").write_text(json.dumps(inventory(self.ssh)))
            (place / "told.json").write_text(json.dumps(dict(self.told)))
            (place / "ansible.cfg").touch()
            try:
                yield place, environment(place, self.ssh)
            finally:
                with suppress(CommandError):  # there may be no connection left to end
                    output_of([*self.ssh.argv("-O", "exit", "-o", f"ControlPath={place}/ssh")])
                end_workers(place)


def inventory(ssh: Ssh) -> dict[str, object]:
    """The host alone; what is not said here is as ssh's configuration says."""
    address = ssh.address
    about: dict[str, object] = {"ansible_host": address.host}
    if address.user:
        about["ansible_user"] = address.user
    if address.port:
        about["ansible_port"] = address.port
    return {"all": {"hosts": {"host": about}}}


def environment(place: Path, ssh: Ssh) -> dict[str, str]:
    own = {
        name: value for name, value in inherited_with().items() if not name.startswith("ANSIBLE_")
    }
    shared = ("-o", "ControlMaster=auto", "-o", f"ControlPersist={PERSIST_SECONDS}s")
    config = ("-F", str(ssh.config)) if ssh.config else ()
    return {
        **own,
        "ANSIBLE_CONFIG": str(place / "ansible.cfg"),
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
        "ANSIBLE_LOCAL_TEMP": str(place / "tmp"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        "ANSIBLE_REMOTE_TEMP": "/tmp/.dayfly-${USER}",  # noqa: S108 - of the host
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
        "ANSIBLE_SSH_ARGS": " ".join([*config, *STRICT, *shared]),
        "ANSIBLE_SSH_CONTROL_PATH": f"{place}/ssh",
        "ANSIBLE_STDOUT_CALLBACK": "dayfly",
        "LC_ALL": "C.UTF-8",
    }
