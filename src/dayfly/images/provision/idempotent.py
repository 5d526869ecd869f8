"""Runs of a provisioner: the second one must find nothing to change."""

from collections.abc import Callable, Mapping
from typing import Protocol

from dayfly.images.builder import BuildError, OnLine
from dayfly.images.provision.scaffold import Scaffold


class Heard(Protocol):
    """What one run tells: resources that changed, and what went wrong."""

    changed: list[str]
    errors: list[str]

    def line(self, line: str) -> None: ...


def applied(
    scaffold: Scaffold,
    command: str,
    title: str,
    secrets: Mapping[str, str],
    listener: Callable[[OnLine], Heard],
    *,
    twice: bool,
) -> None:
    """Run a command that makes resources what they are to be. BuildError names what failed."""
    _ran(scaffold, command, title, secrets, listener)
    if twice:
        scaffold.builders.on_line("second run, which must change nothing")
        again = _ran(scaffold, command, title, secrets, listener)
        if again.changed:
            raise not_idempotent(title, again.changed, what="resource")


def _ran(
    scaffold: Scaffold,
    command: str,
    title: str,
    secrets: Mapping[str, str],
    listener: Callable[[OnLine], Heard],
) -> Heard:
    heard = listener(scaffold.builders.on_line)
    try:
        scaffold.with_lines(heard.line).run(command, title=title, secrets=secrets)
    except BuildError as error:
        if not heard.errors:
            raise
        hint = "\n".join(heard.errors[1:]) or error.hint
        raise BuildError(f"{title} failed: {heard.errors[0]}", hint=hint) from error
    return heard


def not_idempotent(title: str, named: list[str], *, what: str = "task") -> BuildError:
    names = list(dict.fromkeys(named))
    are = f"a {what} that is" if len(names) == 1 else f"{what}s that are"
    return BuildError(
        f"{title} has {are} not idempotent: {', '.join(map(repr, names))} changed something again"
        " in the second run",
        hint="Let it find out whether there is something to do (creates, changed_when, unless),"
        " or set `second_run = false` for this step.",
    )
