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

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.says}" if self.path else self.says


class SettingsError(DayflyError):
    """A settings file is refused; the message names each problem on a line of its own."""

    def __init__(self, message: str, *, hint: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


def refusal(file: str, problems: Sequence[Problem], lines: Mapping[KeyPath, int]) -> SettingsError:
    """All problems of one file, each with its line, in the order of the lines."""
    ordered = sorted(problems, key=lambda problem: _line(problem.path, lines))
    reference = f"docs/reference/{file.rpartition('/')[2]}.md"
    says = [f"{_place(file, problem.path, lines)}: {problem}" for problem in ordered[:MOST_SHOWN]]
    more = [f"and {len(ordered) - MOST_SHOWN} more"] if len(ordered) > MOST_SHOWN else []
    return SettingsError(
        "\n".join(says + more),
        hint=f"{reference} describes every key and shows its default.",
        problems=ordered,
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
