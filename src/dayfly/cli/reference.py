"""The reference of the command line, written from the commands themselves."""

import argparse
from collections.abc import Iterator

from dayfly.cli.commands import parser

_HEAD = """\
# The command line

Exit status: 0 done; 1 refused or failed, and the message says what to do next; 2 wrong usage;
130 interrupted, also where a release was left running.
`dayfly run` ends with the status of its command, and with 1 where that is none of 0 to 255.

Every command takes `-e NAME` for another environment than the one in `DAYFLY_HOME`;
without it `DAYFLY_CONTEXT` names one.
`dayfly login ADDRESS` makes an environment elsewhere known.
Those stand in `~/.config/dayfly/contexts.toml`, a table for each,
in a file that nobody else may read (`chmod 600`):

```toml
[staging]
address = "https://staging.example:8443"  # http:// or https://, host and port
token   = "…"                             # what DAYFLY_HOME/token holds there
ca      = "…"                             # PEM: who signs its certificate; without it the system's

[production]
address    = "http://127.0.0.1:8081"      # as the host in `ssh` reaches it
token      = "…"
ssh        = "deploy@10.8.0.5:22"         # by your own ssh, each connection forwarded by one
ssh_config = "…"                          # a file instead of ~/.ssh/config
```

`up`, `down`, `check`, `tunnel` and `destroy` always work on the environment in `DAYFLY_HOME`;
so does `files`, which refuses another one, or on the archive that `--root` names.

Commands that read have `--json` and then print exactly one JSON value;
`dayfly logs` prints one a line.
`NO_COLOR` is honoured, and piped output is plain lines.
"""
_EVERYWHERE = frozenset({"-h", "-e"})


def commands() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command with its parser, those of a group after one another."""
    yield from _below(parser(), "dayfly")


def markdown() -> str:
    return "\n".join([_HEAD, *(_section(name, command) for name, command in commands())])


def _below(
    parser: argparse.ArgumentParser, name: str
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    groups = [act for act in _actions(parser) if isinstance(act, argparse._SubParsersAction)]  # noqa: SLF001
    if not groups:
        yield name, parser
    for group in groups:
        for word, command in group.choices.items():
            yield from _below(command, f"{name} {word}")


def _section(name: str, command: argparse.ArgumentParser) -> str:
    shown = [act for act in _actions(command) if not _EVERYWHERE & set(act.option_strings)]
    usage = " ".join([name, *map(_usage, shown)])
    lines = [f"## {name}", "", command.description or "", "", f"    {usage}", ""]
    lines += [f"- {_name(act)}: {act.help}" for act in shown if act.help]
    return "\n".join([*lines, ""] if lines[-1] else lines)


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return parser._actions  # noqa: SLF001 - argparse has no other way to ask


def _usage(act: argparse.Action) -> str:
    value = _value(act)
    if not act.option_strings:
        return f"[{value}]" if act.nargs == "?" else value
    text = f"{act.option_strings[-1]} {value}".rstrip()
    return text if act.required else f"[{text}]"


def _name(act: argparse.Action) -> str:
    return f"`{act.option_strings[-1]}`" if act.option_strings else f"`{_value(act)}`"


def _value(act: argparse.Action) -> str:
    if act.nargs == 0:
        return ""
    choices = "|".join(map(str, act.choices)) if act.choices else ""
    named = " ".join(act.metavar) if isinstance(act.metavar, tuple) else act.metavar
    value = str(named or choices or act.dest)
    if act.nargs == "+":
        return f"{value}…"
    return f"[{value}]" if act.option_strings and act.nargs == "?" else value
