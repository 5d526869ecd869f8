"""Which lines belong together: tracebacks, and what is indented below its first line.

Pure: told a list of lines, it says where a record begins. Bounds keep a record small.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dayfly.logs.parsing.line import is_told
from dayfly.logs.parsing.thrown import begins_node, in_message, may_grow

_CLOSING = frozenset({"}", "]", ")", "})", "},", "});"})
_TRACEBACK = "Traceback (most recent call last):"
_CHAINED = ("During handling of the above exception", "The above exception was the direct cause")
_BLAMES = re.compile(
    r"\b(?:error|err|critical|exception|severe|fatal|warn|warning|failed|failure|unhandled|destroyed)\b",
    re.IGNORECASE,
)
_JAVA = re.compile(r"(?:[a-z_][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable)\b")
_JUL_HEAD = re.compile(r"[A-Z][a-z]{2} \d\d?, \d{4},? \d\d?:\d\d:\d\d\s[AP]M ")
_JUL_LEVEL = re.compile(r"(SEVERE|WARNING|INFO|CONFIG|FINE|FINER|FINEST): ")
# Of which Go tells more after a signal: `goroutine 1 gp=0xc000002380 m=0 mp=0x5a2f40 [syscall]:`.
_GOROUTINE = r"goroutine \d+ (?:\w+=\w+ ){0,3}\["
_GO_HEAD = re.compile(
    rf"(?:\S+ \S+ )?(?:panic: |fatal error: |http: panic serving )|{_GOROUTINE}|SIG[A-Z]{{2,6}}: "
)
_GO_LINE = re.compile(
    rf"{_GOROUTINE}|\[signal |created by |exit status |panic\(|[^\s(]+\(.*\)$"
    r"|PC=0x|signal arrived |[a-z]\w{1,7} +0x[0-9a-f]+$"  # what is told of the processor
)
_FAULT = "Fatal Python error: "
# Python's own words before a traceback, and of what ends it.
_PYTHON_HEAD = re.compile(
    rf"Exception (?:in (?:thread|callback)|ignored) |{_FAULT}"
    r"|(?:Task|Future) exception was never retrieved$"
)
_ASYNCIO = re.compile(r"(?:future|handle|protocol|task|transport): <")
_NODE_WARNING = re.compile(r"\(node:\d+\) ")
_NODE_LINE = re.compile(r"Node\.js v\d|\(Use `node |Emitted '[^']+' event ")
# What drivers and validators add to their messages.
_ADDED = re.compile(
    r"LINE \d+: |(?:DETAIL|HINT|CONTEXT|QUERY):  ?"
    r"|\[SQL: |\[parameters: |\(Background on this error"
)
# How lines that are not indented go on, by kind of the record.
_LINES = {
    "go": _GO_LINE,
    "faulted": re.compile(
        r"(?:Current thread|Thread) 0x|Python runtime state: |Extension modules: "
    ),
    "warned": re.compile(r"\(Use `node "),
    "blamed": re.compile(rf"Caused by: |{_JAVA.pattern}"),
}
# Without a panic a line that begins so belongs to no other, and has no kind: no month, no
# `Traceback`, `Caused by`, `Fatal Python error`.
_ALONE = frozenset("0123456789{[<\"'*#=-+@%$|~>:;,.!?&_") | set("BEGHIKLPQRUVWXYZ")
_WORD = re.compile(r"[a-eh-mo-z][a-z]* |[ABDEG-SU-Z][a-z]{3,} ")
_ENDS = frozenset("FSfg")  # how what ends a program begins
_NODE = frozenset({"source", "mark", "thrown", "node"})
_BLAME_LENGTH = 300  # characters of a line in which an error is looked for


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What a record may grow to; a longer one is cut into several."""

    lines: int = 500
    size: int = 256 * 1024  # characters
    message: int = 50  # lines that follow what Python raised
    seconds: float = 0.5  # to wait for a line that may still belong to the last one


def starts(lines: Sequence[str], bounds: Bounds) -> list[int]:
    """The indices of lines that begin a record; the first one always does.

    A blank line begins none: it belongs to what stands before it.
    """
    found: list[int] = []
    kinds: list[str] = []
    kind, first, size, said = "", "", 0, 0
    for index, line in enumerate(lines):
        alone = line[:1] in _ALONE or _WORD.match(line)
        if not kind and alone and "panic" not in line:
            kind, first, size, said = "", line, len(line), 0
            found.append(index)
            kinds.append("")
            continue
        if found and (on := _continued(kind, first, line)) is not None:
            if index - found[-1] == 1 and (more := in_message(lines, found, index)):
                del found[-more:], kinds[-more:]
                on, first = kinds[-1], lines[found[-1]]
                size = sum(map(len, lines[found[-1] : index]))
            size += len(line)
            said = said + 1 if on == "said" else 0
            if index - found[-1] < bounds.lines and size <= bounds.size and said <= bounds.message:
                kind = kinds[-1] = on
                continue
        found.append(index)
        kind, first, size = _kind(lines, index), line, len(line)
        kinds.append(kind)
    return found


def unsettled(lines: Sequence[str], begins: Sequence[int]) -> int:
    """How many of the last records may be the beginning of one, as long as more may come."""
    return max(1, may_grow(lines, begins))


def _kind(lines: Sequence[str], index: int) -> str:
    """Of a record that begins with the line; empty for nearly all."""
    line = lines[index]
    if line == _TRACEBACK:
        return "python"
    if line[3:4] == " " and _JUL_HEAD.match(line):
        return "jul"
    if line[:1] in {"/", "f", "n"} and begins_node(lines, index):
        return "source"
    if line[:6] == "(node:" and _NODE_WARNING.match(line):
        return "warned"
    if "panic" in line or line[:1] in _ENDS:
        return _of_end(line)
    return ""


def _of_end(line: str) -> str:
    if _GO_HEAD.match(line):
        return "go"
    return "faulted" if line.startswith(_FAULT) else ""


def _continued(kind: str, first: str, line: str) -> str | None:
    """The kind of the record that goes on with the line; None when the line begins another."""
    if kind and kind in _NODE:
        return _of_node(kind, line)
    initial = line[:1]
    if initial in {" ", "\t", ""} or line in _CLOSING or line.isspace():
        return kind
    if kind:
        return _of_kind(kind, first, line)
    if initial == "T" and line == _TRACEBACK:
        on = "python"
    elif "a" <= initial <= "z" and (_JAVA.match(line) or _ASYNCIO.match(line)):
        on = kind
    else:
        return kind if initial == "C" and line.startswith("Caused by: ") else None
    return on if _BLAMES.search(first, 0, _BLAME_LENGTH) else None


def _of_kind(kind: str, first: str, line: str) -> str | None:
    if kind == "python":
        return "raised"  # the first line that is not indented says what was raised
    if kind in {"raised", "said"}:
        if line.startswith(_CHAINED):
            return "chained"
        return "said" if _is_said(first, line) else None
    if kind == "chained":
        return "python" if line == _TRACEBACK else None
    if kind == "jul":
        level = _JUL_LEVEL.match(line)
        return ("blamed" if level[1] in {"SEVERE", "WARNING"} else "") if level else None
    return kind if _LINES[kind].match(line) else None


def _is_said(first: str, line: str) -> bool:
    """Whether it goes on with the message, or a note, of what was raised.

    Told by what it is not: where records begin with a time or a level, a line without is none.
    """
    if _ADDED.match(line):
        return True
    if _PYTHON_HEAD.match(line):
        return False
    return first != _TRACEBACK and is_told(first) and line != _TRACEBACK and not is_told(line)


def _of_node(kind: str, line: str) -> str | None:
    """Node shows a line of the source, a mark below it, then what was thrown, whatever it is."""
    if kind == "source":
        return "mark"
    if kind == "mark":
        return "thrown"
    if not line or line.isspace():
        return kind
    if kind == "thrown":
        return "node"
    indented = line[:1] in {" ", "\t"} or line in _CLOSING
    return kind if indented or _NODE_LINE.match(line) else None
