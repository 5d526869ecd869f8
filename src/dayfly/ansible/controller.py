"""Ansible itself: the one that is installed here, or a pinned one in an environment of its own."""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dayfly.ansible.playbook import AnsibleError, OnLine
from dayfly.clock import Stop
from dayfly.command import CommandError, Setting, output_of, run, which
from dayfly.config.inherited import inherited_with

PINNED = Path(__file__).with_name("ansible.txt")
CALLBACKS = Path(__file__).with_name("plugins") / "callback"
OLDEST = (2, 14)  # Debian 12 has it
MAKE_SECONDS = 600.0


@dataclass(frozen=True)
class Ansible:
    folder: Path  # of its programs

    @property
    def playbook(self) -> str:
        return str(self.folder / "ansible-playbook")

    @property
    def galaxy(self) -> str:
        return str(self.folder / "ansible-galaxy")


@dataclass(frozen=True, kw_only=True)
class Maker:
    """Who needs Ansible, and what one is made of where there is none."""

    home: Path  # where it is kept
    python: Callable[[], Path]
    inherited: Mapping[str, str]  # of our environment
    uid: int | None  # who runs playbooks; None: ourselves
    on_line: OnLine
    stop: Stop


def ansible(maker: Maker) -> Ansible:
    """Made first where there is none: half a minute and 70 MB, once."""
    found = which("ansible-playbook")
    if found and _able(Path(found), maker.uid):
        return Ansible(Path(found).parent)
    digest = hashlib.sha256(PINNED.read_bytes()).hexdigest()
    tree = maker.home / f"ansible-{digest[:12]}"
    if not (tree / "whole").exists():
        _make(tree, maker)
    return Ansible(tree / "bin")


def _able(program: Path, uid: int | None) -> bool:
    """Whether the user of playbooks may run it, and it is new enough."""
    try:
        said = output_of(
            [str(program), "--version"],
            setting=Setting(
                cwd=Path("/"), uid=uid, env={"HOME": "/nonexistent", "LC_ALL": "C.UTF-8",
                                             "ANSIBLE_LOCAL_TEMP": "/tmp"}  # noqa: S108
            ),
        )  # fmt: skip
    except CommandError:
        return False
    version = said.partition("[core ")[2].partition("]")[0].split(".")
    return len(version) > 1 and tuple(map(int, version[:2])) >= OLDEST


def _make(tree: Path, maker: Maker) -> None:
    shutil.rmtree(tree, ignore_errors=True)
    tree.parent.mkdir(parents=True, exist_ok=True)
    python = maker.python()
    maker.on_line(f"installing Ansible, once, for {python}")
    _run(maker, str(python), "-m", "venv", str(tree))
    pip = (str(tree / "bin/python"), "-m", "pip", "install", "--quiet", "--require-hashes")
    _run(maker, *pip, "--disable-pip-version-check", "-r", str(PINNED))
    if not _able(tree / "bin/ansible-playbook", maker.uid):
        raise AnsibleError(
            f"user {maker.uid}, as whom playbooks run, can't run the Ansible in {tree}",
            hint="Others must be able to pass through DAYFLY_HOME: chmod o+x on it and on the"
            " folders above it. Or install Ansible for everybody: apt install ansible-core",
        )
    (tree / "whole").touch()


def _run(maker: Maker, *argv: str) -> None:
    setting = Setting(env=inherited_with(**maker.inherited), umask=0o022)
    try:
        run(argv, setting=setting, on_line=maker.on_line, stop=maker.stop, seconds=MAKE_SECONDS)
    except CommandError as error:
        hint = f"Or install it: apt install ansible-core\n{error.tail}"
        raise AnsibleError(f"installing Ansible failed: {error.message}", hint=hint) from error
