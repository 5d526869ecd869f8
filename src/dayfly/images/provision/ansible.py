"""Ansible, run for real on the container that becomes a layer of an image.

The playbook runs as a user without rights, in a copy of its own folder, and reaches nothing but
that container, through a door.
"""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dayfly.ansible.controller import CALLBACKS, Ansible, Maker, ansible
from dayfly.ansible.playbook import AnsibleError, Playbook
from dayfly.ansible.workers import end_workers
from dayfly.command import CommandError, Setting, run
from dayfly.config.image import Provision
from dayfly.images.builder import BuildError
from dayfly.images.interpreter import chosen
from dayfly.images.provision.door import door
from dayfly.images.provision.idempotent import not_idempotent
from dayfly.images.provision.scaffold import Scaffold, readable
from dayfly.images.workplace import Builders, failed

HOST = "image"  # the name of the container in the inventory
_PLUGINS = Path(__file__).with_name("plugins")
_REQUIRED = ("requirements.yml", "roles/requirements.yml", "collections/requirements.yml")
_PYTHONS = "command -v python3 || ls /usr/bin/python3* /usr/local/bin/python3* | head -n 1"


@dataclass(frozen=True, kw_only=True)
class _Play:
    """A playbook, ready to be run: everything of it lies in `place`."""

    step: Provision
    title: str
    place: Path
    tool: Ansible
    scaffold: Scaffold
    env: Mapping[str, str]
    vault: int | None  # a descriptor of its password

    @property
    def folder(self) -> Path:
        return self.place / "source" / PurePosixPath(self.step.ansible or "").parent

    def run(self, *argv: str, book: Playbook) -> int:
        about = self.scaffold.builders
        passed = () if self.vault is None else (self.vault,)
        setting = Setting(
            cwd=self.folder, env=self.env, uid=about.uid, umask=0o022, pass_fds=passed
        )
        seconds = max(about.ends - time.monotonic(), 0.0)
        try:
            return run(
                argv, setting=setting, on_line=book.line, stop=about.stop, seconds=seconds,
                check=False,
            ).status  # fmt: skip
        except CommandError as error:
            at = f", at task {book.task!r}," if book.task else ""
            said = CommandError(error.message, status=error.status, tail="\n".join(book.tail))
            raise failed(f"{self.title}{at}", said, about.ends) from error
        finally:
            end_workers(self.place)


def play(
    step: Provision, source: Path, scaffold: Scaffold, title: str, secrets: Mapping[str, str]
) -> None:
    """Run the playbook of `source`, and once more, when it must find nothing to change."""
    with _translated(), _prepared(step, source, scaffold, title, secrets) as made:
        _install_required(made)
        _played(made)
        if step.second_run:
            scaffold.builders.on_line("second run, which must change nothing")
            again = _played(made)
            if again.changed:
                raise not_idempotent(title, again.changed)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except AnsibleError as error:
        raise BuildError(error.message, hint=error.hint) from error


def _maker(about: Builders) -> Maker:
    return Maker(
        home=about.home,
        python=lambda: chosen(about.inherited, about.uid).program,
        inherited=about.inherited,
        uid=about.uid,
        on_line=about.on_line,
        stop=about.stop,
    )


def _played(made: _Play) -> Playbook:
    book = Playbook(made.title, made.scaffold.builders.on_line)
    words = ["--inventory", str(made.place / "inventory.json")]
    if made.vault is not None:
        words += ["--vault-password-file", f"/dev/fd/{made.vault}"]
    name = PurePosixPath(made.step.ansible or "").name
    status = made.run(made.tool.playbook, *words, name, book=book)
    if status:
        raise book.failure(status)
    if not book.played:
        groups = ", ".join(("all", *made.step.groups))
        raise BuildError(
            f"{made.title}: no play of it is for this image",
            hint=f"`hosts:` of a play names {HOST} or a group that it is in, which are {groups};"
            " `groups` of the step names more.",
        )
    return book


def _install_required(made: _Play) -> None:
    """Roles and collections that the playbook's folder asks for."""
    for name in _REQUIRED:
        if (made.folder / name).is_file():
            book = Playbook(f"{made.title}, installing {name},", made.scaffold.builders.on_line)
            status = made.run(made.tool.galaxy, "install", "-r", name, book=book)
            if status:
                raise book.failure(status)


@contextmanager
def _prepared(
    step: Provision, source: Path, scaffold: Scaffold, title: str, secrets: Mapping[str, str]
) -> Iterator[_Play]:
    about = scaffold.builders
    tool = ansible(_maker(about))
    python = _python(scaffold, title)
    with (
        tempfile.TemporaryDirectory(prefix="dayfly-ansible-") as name,
        door(scaffold, about.uid) as way,
    ):
        place = Path(name)
        shutil.copytree(source, place / "source", symlinks=True)
        shutil.copytree(_PLUGINS, place / "plugins")
        shutil.copytree(CALLBACKS, place / "plugins/callback")
        (place / "home").mkdir()
        (place / "inventory.json").write_text(json.dumps(inventory(step.groups, python)))
        _give(place, about.uid)
        folder = place / "source" / PurePosixPath(step.ansible or "").parent
        env = environment(place, folder, way)
        env |= {name: secrets[name] for name in step.secrets}
        env["PATH"] = f"{tool.folder}:{about.inherited.get('PATH') or os.defpath}"
        with _password(step, about, secrets) as vault:
            yield _Play(
                step=step, title=title, place=place, tool=tool, scaffold=scaffold, env=env,
                vault=vault,
            )  # fmt: skip


@contextmanager
def _password(step: Provision, about: Builders, secrets: Mapping[str, str]) -> Iterator[int | None]:
    if not step.vault:
        yield None
        return
    with readable(secrets[step.vault], about.uid) as vault:
        yield vault


def inventory(groups: tuple[str, ...], python: str) -> dict[str, object]:
    """The image alone, root in it already: only becoming somebody else needs a program."""
    about = {
        "ansible_connection": "dayfly",
        "ansible_python_interpreter": python,
        "ansible_become_method": "su",
    }
    named: dict[str, object] = {group: {"hosts": {HOST: {}}} for group in groups}
    return {"all": {"hosts": {HOST: about}, "children": named}}


def environment(place: Path, folder: Path, way: Path) -> dict[str, str]:
    """What Ansible is told. The app's own ansible.cfg counts; one of this host does not."""
    own = folder / "ansible.cfg"
    empty = place / "ansible.cfg"
    return {
        "ANSIBLE_CONFIG": str(own if own.is_file() else empty),
        "ANSIBLE_CALLBACK_PLUGINS": str(place / "plugins/callback"),
        "ANSIBLE_COLLECTIONS_PATH": f"{place}/collections:{folder}/collections",
        "ANSIBLE_CONNECTION_PLUGINS": str(place / "plugins/connection"),
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
        "ANSIBLE_LOCAL_TEMP": str(place / "home/tmp"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_REMOTE_TEMP": "/tmp/.ansible",  # noqa: S108 - of the container
        "ANSIBLE_RETRY_FILES_ENABLED": "0",
        "ANSIBLE_ROLES_PATH": f"{place}/roles:{folder}/roles",
        "ANSIBLE_STDOUT_CALLBACK": "dayfly",
        "DAYFLY_DOOR": str(way),
        "HOME": str(place / "home"),
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(place / "home"),
        "USER": "dayfly",
    }


def _python(scaffold: Scaffold, title: str) -> str:
    """Where the image has its Python, which Ansible's modules are written in."""
    told = list[str]()
    scaffold.with_lines(told.append).run(f"{_PYTHONS} || true", title="looking for Python")
    if not (told and told[0].startswith("/")):
        raise BuildError(
            f"{title}: the image has no Python, which Ansible needs there",
            hint='Put a step before it: packages = ["python3"]',
        )
    return told[0]


def _give(place: Path, uid: int | None) -> None:
    (place / "ansible.cfg").touch()
    if uid is None:
        return
    for folder, folders, files in os.walk(place):
        for name in (".", *folders, *files):
            os.chown(Path(folder, name), uid, uid, follow_symlinks=False)
