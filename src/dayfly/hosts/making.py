"""A bare Debian becomes a host, and is bare again: the story, top to bottom."""

import base64
import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from dayfly.hosts import facts
from dayfly.hosts.address import HostError
from dayfly.hosts.facts import MARKS, Facts
from dayfly.hosts.package import package
from dayfly.hosts.play import SCRIPTS, Play
from dayfly.hosts.ssh import Ssh

Say = Callable[[str], None]
PYTHON = "package: python3, by which Ansible works"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
PEOPLE = "people, and what was given to them"
_KEY = re.compile(r"(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/=]+( .*)?")
# Without Ansible's help, so that the list of what was there before has no Python.
_GET_PYTHON = f"""\
mkdir -p {MARKS}
[ -e {MARKS}/before ] || {{
  dpkg-query --show --showformat='${{db:Status-Status}} ${{Package}}\\n' |
    sed -n 's/^installed //p' | sort -u > {MARKS}/before.part
  mv {MARKS}/before.part {MARKS}/before
}}
export DEBIAN_FRONTEND=noninteractive
wait='-o DPkg::Lock::Timeout=300'
apt-get -qq update $wait
apt-get -qq install $wait -y --no-install-recommends python3
"""


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
        ssh.tell(found.as_root(f"sh -ec {quote(_GET_PYTHON)}"))
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
    if found.came:
        raise HostError(
            f"{found.user} came to {ssh.address} with `host add`, and goes with it",
            hint="Type it as somebody who was there before.",
        )
    if not found.made:
        return Made(changed=())
    changed = list[str]()
    if found.python:  # it is the last to go, so that a run that was cut off finds it or needs none
        told = {"dayfly_become": found.becomes}
        play = Play(ssh=ssh, playbook="gone.yml", told=told, on_line=say)
        changed += play.run(check=check).changed
    changed += [PYTHON] if found.pythonless else []
    changed += [PEOPLE] if found.people else []
    if not check:
        say("last: what is left")
        ssh.tell(found.as_root(f"sh -ec {quote(_last(found))}"))
    return Made(changed=tuple(changed))


def _last(found: Facts) -> str:
    """By what Ansible works, and by what whoever types this is root: in one go."""
    python = f"set -- {MARKS} '' python3\n{(SCRIPTS / 'packages-gone.sh').read_text()}"
    people = f"set -- {MARKS}\n{(SCRIPTS / 'people-gone.sh').read_text()}"
    return "\n".join(
        [
            *([f"(\n{python})"] if found.pythonless else []),
            people,
            f"rm -r {MARKS}",
            "rmdir /etc/dayfly",
        ]
    )


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
            "dayfly_people": [{"name": p.name, "keys64": _as_told(p)} for p in wanted.people],
            "dayfly_settings": str(wanted.settings.absolute()) if wanted.settings else "",
        }


def _as_told(person: Person) -> str:
    """Its lines in base64, as what others wrote into a file of theirs is no template."""
    return base64.b64encode("".join(f"{line}\n" for line in _lines(person.keys)).encode()).decode()


def _lines(keys: str) -> list[str]:
    lines = (line.strip() for line in keys.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def person_problem(name: str, keys: str) -> str:
    """Why somebody can't be let in so; empty when they can."""
    if not _NAME.fullmatch(name):
        return "allowed is a name such as ana: a to z, 0 to 9, - and _, a letter first"
    lines = _lines(keys)
    if not lines or not all(_KEY.fullmatch(line) for line in lines):
        return "the file has to hold public keys of ssh, one in each line"
    return ""
