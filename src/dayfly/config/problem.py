"""What is wrong with a settings file, so that a person can put it right."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dayfly.errors import DayflyError

KeyPath = tuple[str | int, ...]
MOST_SHOWN = 20  # problems in one message


@dataclass(frozen=True)
class Problem:
    path: KeyPath
    says: str
    depends_on: tuple[KeyPath, ...] = ()  # other keys without which it may be none

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.says}" if self.path else self.says


class SettingsError(DayflyError):
    """A settings file is refused; the message names each problem on a line of its own."""

    def __init__(self, message: str, *, hint: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


def refusal(
    file: str, problems: Sequence[Problem], lines: Mapping[KeyPath, int], *, reference: str
) -> SettingsError:
    """All problems of one file, each with its line, in the order of the lines.

    `file` is what a person knows it as; `reference` the name of the file that shows every key.
    """
    ordered = sorted(problems, key=lambda problem: _line(problem.path, lines))
    says = [f"{_place(file, problem.path, lines)}: {problem}" for problem in ordered[:MOST_SHOWN]]
    more = [f"and {len(ordered) - MOST_SHOWN} more"] if len(ordered) > MOST_SHOWN else []
    return SettingsError(
        "\n".join(says + more),
        hint=f"docs/reference/{reference}.md of Dayfly describes every key and its default.",
        problems=ordered,
    )


def touched(problem: Problem, others: Sequence[Problem]) -> bool:
    """Whether a key that this problem is about could not be read: then it may be none."""
    about = (problem.path, *problem.depends_on)
    spoilt = [path for other in others for path in (other.path, *other.depends_on)]
    return any(
        one[:shared] == other[:shared]
        for one in about
        for other in spoilt
        if (shared := min(len(one), len(other)))
    )


def dotted(path: KeyPath) -> str:
    """A key path as TOML would write it, a place in a list in brackets: `build.steps[0]`."""
    shown = "".join(f"[{part}]" if isinstance(part, int) else f".{_key(part)}" for part in path)
    return shown.removeprefix(".")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'


def _place(file: str, path: KeyPath, lines: Mapping[KeyPath, int]) -> str:
    line = _line(path, lines)
    return f"{file}:{line}" if line else file


def _line(path: KeyPath, lines: Mapping[KeyPath, int]) -> int:
    """The line of a key, or of the innermost table around one that is missing; 0 if unknown."""
    around = (lines.get(path[:length]) for length in range(len(path), 0, -1))
    return next((line for line in around if line), 0)
