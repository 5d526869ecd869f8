"""The only place that prints: colours where a person looks, plain lines in a pipe."""

import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from dayfly.config.inherited import no_color
from dayfly.shown import plain

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {"good": "32", "bad": "1;31", "warn": "33", "dim": "2", "strong": "1", "accent": "36"}
_NUMBER = re.compile(r"[\d,.]*( s| ms| MB|%)?|-")
_PAINT = re.compile(r"\x1b\[[0-9;]*m")

Row = Sequence[str]


def say(*lines: str) -> None:
    """Print lines for a person: painted by us, and `cleaned` where others wrote them."""
    _write(sys.stdout, lines)


def remark(*lines: str) -> None:
    """Print lines about an answer beside it, so that who reads the answer in a pipe has it pure."""
    _write(sys.stderr, lines)


def say_json(value: object) -> None:
    """Print exactly one JSON value, in ASCII, so that no text in it can act on a terminal."""
    _write(sys.stdout, [json.dumps(value, indent=2)])


def error(message: str, hint: str = "") -> None:
    first, *others = message.splitlines() or [""]
    lines = [paint("bad", "Error: ") + clean(first)]
    lines += [f"  {clean(line)}" for line in (*others, *hint.splitlines())]
    _write(sys.stderr, lines)


def warn(text: str) -> None:
    """What a person should know before it surprises, beside what was asked for."""
    _write(sys.stderr, [paint("warn", "Warning: ") + clean(text)])


def paint(style: str, text: str) -> str:
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if text else text


def clean(text: str) -> str:
    """Text of somebody else without anything that acts on a terminal, tabs widened."""
    return plain(text.replace("\n", " ")).expandtabs(4)


def cleaned(value: Any) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """A JSON value with every text in it made harmless."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    if isinstance(value, dict):
        return {clean(str(key)): cleaned(item) for key, item in value.items()}
    return value


def table(rows: Iterable[Row], *, head: Row = ()) -> list[str]:
    """Rows as aligned columns; numbers to the right. The heading is dim."""
    body = [tuple(row) for row in rows]
    shown = [tuple(paint("dim", name) for name in head), *body] if head else body
    widths = [max(width(cell) for cell in column) for column in zip(*shown, strict=True)]
    right = [
        bool(body) and all(_is_number(cell) for cell in column)
        for column in zip(*body, strict=True)
    ]
    right = right or [False] * len(widths)
    return [
        "  ".join(_padded(*cell) for cell in zip(row, widths, right, strict=True)).rstrip()
        for row in shown
    ]


def width(text: str) -> int:
    """Columns on a terminal: wide characters take two, combining ones none."""
    plain = _PAINT.sub("", text)
    if plain.isascii():
        return len(plain)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in plain)
    return len(plain) + wide - sum(bool(unicodedata.combining(char)) for char in plain)


def is_terminal() -> bool:
    return sys.stdout.isatty() and sys.stdin.isatty()


def ask(question: str) -> str:
    _write(sys.stderr, [paint("strong", question)], end=" ")
    return sys.stdin.readline().strip()


def live_console() -> "Console":
    """Where the live view of a release is drawn."""
    from rich.console import Console  # noqa: PLC0415 - costs 0.2 s, so only where it draws

    return Console(no_color=no_color(), highlight=False, markup=False, emoji=False)


@contextmanager
def working() -> Iterator[Callable[[str], None]]:
    """Give it a sentence on what is done now; on a terminal it stands until the next one."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - see `live_console`
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    console = Console(stderr=True, no_color=no_color())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda sentence: progress.update(task, description=clean(sentence), refresh=True)


def flush() -> None:
    sys.stdout.flush()


def forget_stdout() -> None:
    """Let the interpreter's own last flush go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write(stream: TextIO, lines: Iterable[str], *, end: str = "\n") -> None:
    colour = stream.isatty() and not no_color()
    for line in lines:
        text = line if colour else _PAINT.sub("", line)
        stream.write(text.encode(stream.encoding, "replace").decode(stream.encoding) + end)
    stream.flush()


def _is_number(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(_PAINT.sub("", cell)))


def _padded(cell: str, columns: int, right: bool) -> str:
    gap = " " * (columns - width(cell))
    return gap + cell if right else cell + gap
