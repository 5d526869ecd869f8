"""What a playbook tells while it runs, read line by line."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from dayfly.command import TAIL_LINES
from dayfly.errors import DayflyError

MARK = "\x1edayfly "  # our callback plugin writes it before each event
_NO_VAULT = "no vault secrets found"
OnLine = Callable[[str], None]


class AnsibleError(DayflyError):
    """A playbook did not come to its end, or there is no Ansible to run it."""


@dataclass
class Playbook:
    """One run: passes its lines on, and keeps what matters at its end."""

    title: str
    on_line: OnLine
    task: str = ""  # at work
    changed: list[str] = field(default_factory=list)  # tasks, in their order
    failed: str = ""
    says: str = ""  # what the failed task printed
    played: bool = True  # some play was for this image
    tail: list[str] = field(default_factory=list)

    def line(self, line: str) -> None:
        """AnsibleError when the playbook asks a person."""
        if not line.startswith(MARK):
            if line.strip():
                self.tail = [*self.tail[-(TAIL_LINES - 1) :], line]
                self.on_line(line)
            return
        told = json.loads(line.removeprefix(MARK))
        match told["kind"]:
            case "task":
                self.task = told["name"]
                self.on_line(f"task: {self.task}")
            case "changed":
                self.changed.append(told["name"])
                self.on_line(f"changed: {told['name']}")
            case "failed":
                self.failed, self.says = told["name"], told["says"]
            case "asked":
                raise AnsibleError(
                    f"{self.title} asks for input: {told['what']}",
                    hint="Nobody is there to answer: give the value as a variable, or as one of"
                    " the step's `secrets`, which it finds with lookup('env', 'NAME').",
                )
            case "ended":
                self.played = told["played"]

    def failure(self, status: int) -> AnsibleError:
        """Of a run that ended with `status`."""
        if self.failed:
            says = self.says or "\n".join(self.tail)
            first, _, rest = says.partition("\n")
            return AnsibleError(f"{self.title}: task {self.failed!r} failed: {first}", hint=rest)
        tail = "\n".join(self.tail)
        if _NO_VAULT in tail:
            return AnsibleError(
                f"{self.title} needs the password of its vault",
                hint="Name the secret that holds it: `vault` of the step, in dayfly.toml.",
            )
        return AnsibleError(f"{self.title} failed: exit status {status}", hint=tail)
