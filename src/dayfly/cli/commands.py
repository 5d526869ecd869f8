"""All commands, put together from their groups; reads the command line and runs one."""

import argparse
import difflib
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NoReturn

from dayfly.cli.session import Session
from dayfly.errors import UsageError

Run = Callable[..., int]
# Commands of two words beside one of the first word alone.
BELOW = (
    "logs usage", "logs alerts", "logs feeds", "logs serve", "images show", "images diff",
    "images vm", "machines diff",
)  # fmt: skip
_FIRST = frozenset(pair.split()[0] for pair in BELOW)


class _Parser(argparse.ArgumentParser):
    """Tells wrong usage as an error like every other, with the nearest right word."""

    def error(self, message: str) -> NoReturn:
        hint = f"`{self.prog} --help` shows what is possible."
        found = re.match(r"argument (.*): invalid choice: '(.*?)' \(choose from (.*)\)", message)
        if found:
            option, word, allowed = found[1], found[2], re.findall(r"'([^']+)'", found[3])
            near = difflib.get_close_matches(word, allowed, n=1)
            message = f"`{self.prog}` knows no `{word}`."
            if option.startswith("-"):
                message = f"{option} {word}: allowed are {', '.join(allowed)}."
            hint = f"Did you mean `{near[0]}`? {hint}" if near else hint
        if re.match("unrecognized arguments: -[^-]", message):
            hint = f"What begins with `-` and is no option stands last, after `--`. {hint}"
        raise UsageError(message, hint=hint)


class _Version(argparse.Action):
    """Looked up only when asked for: reading the metadata of packages takes its time."""

    def __init__(self, option_strings: list[str], dest: str, help: str) -> None:  # noqa: A002
        super().__init__(option_strings, dest, nargs=0, help=help, default=argparse.SUPPRESS)

    def __call__(self, parser: argparse.ArgumentParser, *_values: object) -> NoReturn:
        from importlib.metadata import version  # noqa: PLC0415

        parser.exit(message=f"dayfly {version('dayfly')}\n")


class Commands:
    """Where a group declares its commands."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._choice = parser.add_subparsers(
            metavar="COMMAND", required=True, title="commands", parser_class=_Parser
        )

    def add(
        self, name: str, run: Run, about: str, *, hidden: bool = False
    ) -> argparse.ArgumentParser:
        """A command: `run(session, **arguments)` returns the exit status."""
        shown: dict[str, Any] = {} if hidden else {"help": about}
        parser = self._choice.add_parser(
            name, description=about, formatter_class=argparse.RawDescriptionHelpFormatter, **shown
        )
        parser.set_defaults(run=run)
        parser.add_argument(
            "-e",
            "--environment",
            metavar="NAME",
            default=argparse.SUPPRESS,
            help="which environment (default: $DAYFLY_CONTEXT, else the one in DAYFLY_HOME)",
        )
        return parser

    def add_reader(self, name: str, run: Run, about: str) -> argparse.ArgumentParser:
        """A command that only reads, so it has --json."""
        parser = self.add(name, run, about)
        parser.add_argument("--json", action="store_true", help="print one JSON value")
        return parser

    def add_group(self, name: str, about: str) -> "Commands":
        """A word that has commands of its own below it."""
        return Commands(self._choice.add_parser(name, help=about, description=about))


def for_app(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--app", metavar="APP", help="which application (default: the one of this checkout)"
    )


def release_number(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text} is no release: they are numbered from 1")
    return int(text)


def between(least: int, most: int) -> Callable[[str], int]:
    """The type of a whole number."""

    def number(text: str) -> int:
        if not (text.isdecimal() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"found {text}, allowed is {least} to {most}")
        return int(text)

    return number


def words(text: str) -> str:
    """What must not be left empty, as an unset variable of a script leaves it."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; leave the option out, or say something")
    return text


def parser() -> argparse.ArgumentParser:
    from dayfly.cli import (  # noqa: PLC0415
        capacity,
        environment,
        files,
        host,
        images,
        impact,
        login,
        logs,
        preserved,
        readers,
        release,
        secrets,
        tokens,
        tunnel,
        work,
    )

    top = _Parser(prog="dayfly", description="Each release on fresh machines, and nothing is lost.")
    top.add_argument("--version", action=_Version, help="print the version of Dayfly")
    top.add_argument("-e", "--environment", metavar="NAME", help=argparse.SUPPRESS)
    commands = Commands(top)
    for group in (
        environment, release, impact, preserved, readers, images, capacity, logs, files, tunnel,
        host, login, work,
        secrets,
        tokens,
    ):  # fmt: skip
        group.declare(commands)
    return top


def _joined(words: list[str]) -> list[str]:
    """`logs usage` is a command beside `logs QUERY`: the second word chooses."""
    for at, (first, second) in enumerate(pairwise(words)):
        if f"{first} {second}" in BELOW:
            return [*words[:at], f"{first} {second}", *words[at + 2 :]]
        if first in _FIRST or first == "--":
            break
    return words


def run(words: list[str]) -> int:
    """Read the words of a command line and do what they say; returns the exit status."""
    arguments = vars(parser().parse_args(_joined(words)))
    chosen: Run = arguments.pop("run")
    session = Session(arguments.pop("environment", None), arguments.pop("app", None))
    return chosen(session, **arguments)
