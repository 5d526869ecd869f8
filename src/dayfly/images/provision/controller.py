"""Ansible itself: the one that is installed here, or a pinned one in an environment of its own."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from dayfly.command import CommandError, Setting, output_of, run, which
from dayfly.config.inherited import inherited_with
from dayfly.images.builder import BuildError
from dayfly.images.fingerprint import key_of
from dayfly.images.interpreter import chosen
from dayfly.images.workplace import Builders, failed

PINNED = Path(__file__).with_name("ansible.txt")
OLDEST = (2, 14)  # Debian 12 has it


@dataclass(frozen=True)
class Ansible:
    folder: Path  # of its programs

    @property
    def playbook(self) -> str:
        return str(self.folder / "ansible-playbook")

    @property
    def galaxy(self) -> str:
        return str(self.folder / "ansible-galaxy")


def ansible(builders: Builders) -> Ansible:
    """Made first where there is none: half a minute and 70 MB, once."""
    found = which("ansible-playbook")
    if found and _able(Path(found), builders.uid):
        return Ansible(Path(found).parent)
    tree = builders.home / f"ansible-{key_of(PINNED.read_text())[:12]}"
    if not (tree / "whole").exists():
        _make(tree, builders)
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


def _make(tree: Path, builders: Builders) -> None:
    shutil.rmtree(tree, ignore_errors=True)
    python = chosen(builders.inherited, builders.uid)
    builders.on_line(f"installing Ansible, once, for {python.program}")
    _run(builders, str(python.program), "-m", "venv", str(tree))
    pip = (str(tree / "bin/python"), "-m", "pip", "install", "--quiet", "--require-hashes")
    _run(builders, *pip, "--disable-pip-version-check", "-r", str(PINNED))
    if not _able(tree / "bin/ansible-playbook", builders.uid):
        raise BuildError(
            f"user {builders.uid}, as whom playbooks run, can't run the Ansible in {tree}",
            hint="Others must be able to pass through DAYFLY_HOME: chmod o+x on it and on the"
            " folders above it. Or install Ansible for everybody: apt install ansible-core",
        )
    (tree / "whole").touch()


def _run(builders: Builders, *argv: str) -> None:
    setting = Setting(env=inherited_with(**builders.inherited), umask=0o022)
    try:
        run(argv, setting=setting, on_line=builders.on_line, stop=builders.stop, seconds=600)
    except CommandError as error:
        told = failed("installing Ansible", error)
        hint = f"Or install it: apt install ansible-core\n{told.hint}"
        raise BuildError(told.message, hint=hint) from error
