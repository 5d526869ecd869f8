"""Which lines belong together: tracebacks, and what is indented below its first line.

Pure: told a list of lines, it says where a record begins. Bounds keep a record small.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_CLOSING = frozenset({"}", "]", ")", "})", "},", "});"})
_TRACEBACK = "Traceback (most recent call last):"
_CHAINED = ("During handling of the above exception", "The above exception was the direct cause")
_BLAMES = re.compile(
    r"\b(?:error|err|critical|exception|severe|fatal|warn|warning|failed|failure|unhandled)\b",
    re.IGNORECASE,
)
_JAVA = re.compile(r"(?:[a-z_][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable)\b")
_JUL_HEAD = re.compile(r"[A-Z][a-z]{2} \d\d?, \d{4},? \d\d?:\d\d:\d\d\s[AP]M ")
_JUL_LEVEL = re.compile(r"(SEVERE|WARNING|INFO|CONFIG|FINE|FINER|FINEST): ")
_GO_HEAD = re.compile(
    r"(?:\S+ \S+ )?(?:panic: |fatal error: |http: panic serving )|goroutine \d+ \["
)
_GO_LINE = re.compile(r"goroutine \d+ \[|\[signal |created by |exit status |panic\(|[^\s(]+\(.*\)$")
_NODE_HEAD = re.compile(r"(?:/|file://|node:)\S*:\d+$")
_NODE_LINE = re.compile(r"(?:Uncaught )?(?:[A-Za-z_$][\w$]*)?Error\b|Node\.js v\d")
# How lines that are not indented go on, by kind of the record.
_LINES = {"go": _GO_LINE, "node": _NODE_LINE, "blamed": re.compile(rf"Caused by: |{_JAVA.pattern}")}
_BLAME_LENGTH = 300  # characters of a line in which an error is looked for


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What a record may grow to; a longer one is cut into several."""

    lines: int = 500
    size: int = 256 * 1024  # characters
    seconds: float = 0.5  # to wait for a line that may still belong to the last one


def starts(lines: Sequence[str], bounds: Bounds) -> list[int]:
    """The indices of lines that begin a record; the first one always does.

    A blank line begins none: it belongs to what stands before it.
    """
    found: list[int] = []
    kind, first, size = "", "", 0
    for index, line in enumerate(lines):
        if found and (on := _continued(kind, first, line)) is not None:
            size += len(line)
            if index - found[-1] < bounds.lines and size <= bounds.size:
                kind = on
                continue
        found.append(index)
        kind, first, size = _kind(line), line, len(line)
    return found


def _kind(line: str) -> str:
    """Of a record that begins with the line; empty for nearly all."""
    if line == _TRACEBACK:
        return "python"
    if line[3:4] == " " and _JUL_HEAD.match(line):
        return "jul"
    if line[:1] in {"/", "f", "n"} and _NODE_HEAD.match(line):
        return "node"
    if ("panic" in line or line[:1] in {"f", "g"}) and _GO_HEAD.match(line):
        return "go"
    return ""


def _continued(kind: str, first: str, line: str) -> str | None:
    """The kind of the record that goes on with the line; None when the line begins another."""
    initial = line[:1]
    if initial in {" ", "\t", ""} or line in _CLOSING or line.isspace():
        return kind
    if kind:
        return _of_kind(kind, line)
    if initial == "T" and line == _TRACEBACK:
        return "python" if _BLAMES.search(first, 0, _BLAME_LENGTH) else None
    if initial == "C" and line.startswith("Caused by: "):
        return kind
    if "a" <= initial <= "z" and _JAVA.match(line):
        return kind if _BLAMES.search(first, 0, _BLAME_LENGTH) else None
    return None


def _of_kind(kind: str, line: str) -> str | None:
    if kind == "python":
        return "raised"  # the first line that is not indented says what was raised
    if kind == "raised":
        return "chained" if line.startswith(_CHAINED) else None
    if kind == "chained":
        return "python" if line == _TRACEBACK else None
    if kind == "jul":
        level = _JUL_LEVEL.match(line)
        return ("blamed" if level[1] in {"SEVERE", "WARNING"} else "") if level else None
    return kind if _LINES[kind].match(line) else None
