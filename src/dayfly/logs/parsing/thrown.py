"""Messages of several lines before the frames of Java and Node: told by what follows them."""

import re
from collections.abc import Sequence

from dayfly.logs.parsing.line import is_told

MESSAGE_LINES = 8  # without the first; a longer message is cut
_FRAME = re.compile(r"\s+(?:at \S|\.\.\. \d+ (?:more|common frames|lines matching))")
# `java.sql.SQLException: no`, `MyErr: no`, but not `INFO: yes`
_THROWN = re.compile(
    r"(?:Uncaught |Caused by: |Exception in thread \"[^\"]*\" )?"
    r"(?:[a-z_$][\w$]*\.)*[A-Z][\w$]*[a-z][\w$]*(?: \[\w+\])?(?:: |$)"
)
_NODE_HEAD = re.compile(r"(?:/|file://|node:)\S*:\d+$")
_MARK = re.compile(r"\s*\^+\s*$")
_AFTER = 2  # lines from the place to the mark


def begins_node(lines: Sequence[str], index: int) -> bool:
    """Whether a place in the source is followed by its line and a mark below that."""
    if not _NODE_HEAD.match(lines[index]):
        return False
    return index + _AFTER < len(lines) and bool(_MARK.match(lines[index + _AFTER]))


def in_message(lines: Sequence[str], begins: Sequence[int], index: int) -> int:
    """How many records before a frame are lines of the message of what was thrown."""
    if not _FRAME.match(lines[index]):
        return 0
    for count, begin in enumerate(reversed(begins[-MESSAGE_LINES:]), 1):
        if count == len(begins) or begin != index - count or _is_head(lines[begin]):
            return 0
        if _THROWN.match(lines[begin - 1]):
            return count
    return 0


def may_grow(lines: Sequence[str], begins: Sequence[int]) -> int:
    """How many of the last records may be lines of a message whose frames have not come yet."""
    most = min(MESSAGE_LINES, len(begins) - 1) + 1
    ends = [*begins[-most:], len(lines)]
    for count in range(most, 0, -1):
        begin, end = ends[-count - 1], ends[-count]
        near_place = len(lines) - begin <= _AFTER and _NODE_HEAD.match(lines[begin])
        if near_place or (_THROWN.match(lines[end - 1]) and _single(ends[-count:])):
            return count
    return 0


def _single(begins: Sequence[int]) -> bool:
    """Whether all are of one line."""
    return begins[-1] - begins[0] == len(begins) - 1


def _is_head(line: str) -> bool:
    return bool(_THROWN.match(line)) or is_told(line)
