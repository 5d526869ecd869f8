"""Syslog over TCP: where in the stream one message ends (RFC 6587).

A message tells its length first, or it ends with its line. One sender may do the one and the other.
"""

import re

from dayfly.logs.parsing.line import LONGEST

_COUNTED = re.compile(rb"([1-9]\d{0,7}) (?=<)")
_UNDECIDED = re.compile(rb"[1-9]\d{0,7} ?\Z")  # may yet become a length
_BETWEEN = b"\r\n\0"  # what some put after a message whose length they told


class Frames:
    """A message that is too long is cut, as everywhere."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._rest = bytearray()
        self._skip = 0  # bytes that are left of a message whose length was told
        self._cut = False  # whether the rest of this line is left out

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that end in what has come so far."""
        self._rest += data
        found = []
        while (message := self._next()) is not None:
            if message:
                found.append(message)
        return found

    def end(self) -> list[bytes]:
        """What came last, and did not end."""
        rest = b"" if self._cut or self._skip else _COUNTED.sub(b"", bytes(self._rest), count=1)
        self._rest.clear()
        message = rest.strip(_BETWEEN)
        return [message] if message else []

    def _next(self) -> bytes | None:
        """Empty where one was left out; None when nothing more ends here."""
        skipped = min(self._skip, len(self._rest))
        del self._rest[:skipped]
        self._skip -= skipped
        if self._skip:
            return None
        if self._cut:
            return self._line()
        while self._rest and self._rest[0] in _BETWEEN:
            del self._rest[0]
        if found := _COUNTED.match(self._rest):
            return self._counted(found.end(), int(found[1]))
        return None if _UNDECIDED.match(self._rest) else self._line()

    def _counted(self, begin: int, length: int) -> bytes | None:
        end = begin + min(length, self._longest)
        if len(self._rest) < end:
            return None
        message = bytes(self._rest[begin:end])
        del self._rest[:end]
        self._skip = begin + length - end
        return message.rstrip(_BETWEEN)

    def _line(self) -> bytes | None:
        end = self._rest.find(b"\n")
        too_long = end < 0 and len(self._rest) > self._longest
        if end < 0 and not too_long:
            return None
        message = b"" if self._cut else bytes(self._rest[: self._longest if end < 0 else end])
        self._cut = too_long
        del self._rest[: len(self._rest) if too_long else end + 1]
        return message[: self._longest].rstrip(_BETWEEN)
