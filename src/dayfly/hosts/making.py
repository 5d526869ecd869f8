"""A bare Debian becomes a host, and is bare again: the story, top to bottom."""

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dayfly.hosts import facts
from dayfly.hosts.address import HostError
from dayfly.hosts.facts import Facts
from dayfly.hosts.package import package
from dayfly.hosts.play import Play
from dayfly.hosts.ssh import Ssh

Say = Callable[[str], None]
PYTHON = "package: python3, by which Ansible works"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_KEY = re.compile(r"(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/=]+")
_GET_PYTHON = (
    "env DEBIAN_FRONTEND=noninteractive sh -ec"
    " 'apt-get -qq update; apt-get -qq install -y --no-install-recommends python3'"
)


@dataclass(frozen=True, kw_only=True)
class Person:
    """Who may log in and become root."""

    name: str
    keys: str  # as authorized_keys has them


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a host is to have besides what all have."""

    openings: Sequence[str] = ()  # rules of the firewall
    people: Sequence[Person] = ()
    settings: Path | None = None  # environment.toml of the environment that it runs


@dataclass(frozen=True, kw_only=True)
class Made:
    """`changed` are tasks, in their order; with `check` those that would change something."""

    changed: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())


def add(ssh: Ssh, wanted: Wanted, *, check: bool, say: Say) -> Made:
    """Done again it changes nothing; where it was cut off, it goes on."""
    found = facts.facts_of(ssh)
    facts.require(found, str(ssh.address))
    if not found.python and check:
        note = "what else would change is known when there is a Python"
        return Made(changed=(PYTHON,), notes=(note,))
    if not found.python:
        say(PYTHON)
        ssh.tell(found.as_root(_GET_PYTHON))
    with _told(found, wanted) as told:
        play = Play(ssh=ssh, playbook="host.yml", told=told, on_line=say)
        changed = play.run(check=check).changed
    return Made(changed=changed if found.python else (PYTHON, *changed))


def remove(ssh: Ssh, *, check: bool, say: Say) -> Made:
    """What `add` has brought goes, and what it drove out returns. Data is never taken."""
    found = facts.facts_of(ssh)
    facts.require(found, str(ssh.address))
    if found.environment:
        raise HostError(
            f"{ssh.address} has an environment with its data",
            hint=f"`ssh {ssh.address} sudo dayfly destroy NAME` removes it, and asks for its name.",
        )
    if not found.made:
        return Made(changed=())
    told = {"dayfly_become": found.becomes}
    play = Play(ssh=ssh, playbook="gone.yml", told=told, on_line=say)
    return Made(changed=play.run(check=check).changed)


@contextmanager
def _told(found: Facts, wanted: Wanted) -> Iterator[Mapping[str, object]]:
    """The variables of the role, and the files that they name while it runs."""
    brought = package()
    needs = hashlib.sha256(brought.needs.encode()).hexdigest()[:12]
    with tempfile.TemporaryDirectory(prefix="dayfly-package-") as name:
        place = Path(name)
        (place / "dayfly.tar").write_bytes(brought.code)
        (place / "needs.txt").write_text(brought.needs)
        yield {
            "dayfly_archive": str(place / "dayfly.tar"),
            "dayfly_needs": str(place / "needs.txt"),
            "dayfly_venv": f"/opt/dayfly/python-{needs}",
            "dayfly_lib": f"/opt/dayfly/dayfly-{brought.version}",
            "dayfly_current": f"/opt/dayfly/current-{brought.version}",
            "dayfly_become": found.becomes,
            "dayfly_port": found.port,
            "dayfly_openings": [*wanted.openings],
            "dayfly_people": [{"name": p.name, "public": p.keys} for p in wanted.people],
            "dayfly_settings": str(wanted.settings.absolute()) if wanted.settings else "",
        }


def person_problem(name: str, keys: str) -> str:
    """Why somebody can't be let in so; empty when they can."""
    if not _NAME.fullmatch(name):
        return "allowed is a name such as ana: a to z, 0 to 9, - and _, a letter first"
    lines = [line for line in keys.splitlines() if line.strip() and not line.startswith("#")]
    if not lines or not all(_KEY.match(line) for line in lines):
        return "the file has to hold public keys of ssh, one in each line"
    return ""
