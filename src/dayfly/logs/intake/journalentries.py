"""systemd's journal export format: entries of fields, parted by an empty line.

https://systemd.io/JOURNAL_EXPORT_FORMATS: a field is `NAME=text`, or, where it may hold anything,
`NAME`, a length of eight bytes, and so many bytes.
"""

from collections.abc import Iterator

from dayfly.logs.intake.documents import line
from dayfly.logs.intake.envelope import content
from dayfly.logs.parsing.levels import of_severity
from dayfly.logs.parsing.line import text_of
from dayfly.logs.parsing.parsed import Known, number_or_text
from dayfly.logs.record import Value
from dayfly.logs.store.problems import BodyError

Entry = dict[str, bytes]
MOST_BYTES = 16 << 20  # of an entry
CURSOR = "__CURSOR"
_TIMES = ("_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP")
_PROCESSES = ("SYSLOG_IDENTIFIER", "_COMM")
_ORIGINS = {"host": "_HOSTNAME", "machine": "CONTAINER_NAME"}
_NUMBERS = frozenset((
    "_PID", "_UID", "_GID", "SYSLOG_PID", "SYSLOG_FACILITY", "ERRNO", "CODE_LINE", "EXIT_STATUS",
))  # fmt: skip
_LENGTH, _MOST_NAME = 8, 256
_DIGITS = 16  # of microseconds that are a time


class Entries:
    """Of bytes as they arrive; BodyError when they are no journal."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._entry: Entry = {}
        self._size = 0

    def feed(self, data: bytes) -> Iterator[Entry]:
        """The entries that end in what has come so far."""
        self._rest += data
        position = 0
        while field := self._field(position):
            name, value, position = field
            if name:
                self._add(name, value)
            elif self._entry:
                yield self._entry
                self._entry, self._size = {}, 0
        del self._rest[:position]
        self._limit(len(self._rest))

    def end(self) -> Iterator[Entry]:
        """The last one, which no empty line need end."""
        if self._rest:
            raise BodyError("The journal breaks off within an entry.")
        if self._entry:
            yield self._entry

    def _field(self, position: int) -> tuple[str, bytes, int] | None:
        """Name, value and where the next one begins; None when it is not all there."""
        end = self._rest.find(b"\n", position)
        if end < 0:
            return None
        name, equals, value = bytes(self._rest[position:end]).partition(b"=")
        if equals:
            return _named(name), value, end + 1
        if not name:
            return "", b"", end + 1
        begin = end + 1 + _LENGTH
        length = int.from_bytes(self._rest[end + 1 : begin], "little")
        if len(self._rest) < begin:
            return None
        self._limit(length)
        if len(self._rest) < begin + length + 1:
            return None
        if self._rest[begin + length] != ord("\n"):
            raise BodyError(f"The field {_named(name)} is longer than it says.")
        return _named(name), bytes(self._rest[begin : begin + length]), begin + length + 1

    def _add(self, name: str, value: bytes) -> None:
        """A field may come more than once."""
        self._size += len(name) + len(value)
        self._limit(0)
        before = self._entry.get(name)
        self._entry[name] = value if before is None else before + b"\n" + value

    def _limit(self, more: int) -> None:
        if self._size + more > MOST_BYTES:
            raise BodyError(f"An entry of the journal has more than {MOST_BYTES} bytes.")


def _named(name: bytes) -> str:
    """Letters, digits and `_`, as journald itself demands."""
    text = name.decode("ascii", "replace")
    if len(text) > _MOST_NAME or not text.replace("_", "a").isalnum():
        raise BodyError(f"{text[:80]!r} is no name of a field of the journal.")
    return text


def line_of(entry: Entry, now: int) -> bytes:
    """All of an entry but its addresses in the journal it comes from."""
    told = {name: text_of(value) for name, value in entry.items()}
    at = next(filter(None, (_time(told.pop(name, "")) for name in _TIMES)), now)
    priority = told.pop("PRIORITY", "")
    level = of_severity(int(priority)) if priority in set("01234567") else ""
    parsed = content(told.pop("MESSAGE", ""), level, Known(at))
    origin = {ours: told.pop(theirs, "") for ours, theirs in _ORIGINS.items()}
    origin["process"] = next((told[name] for name in _PROCESSES if told.get(name)), "")
    fields: dict[str, Value] = {
        name: number_or_text(text) if name in _NUMBERS else text
        for name, text in told.items()
        if not name.startswith("__")
    }
    return line(parsed, {**fields, **parsed.fields}, at, stream="journal", **origin)


def _time(told: str) -> int:
    """0 when it is none."""
    known = told.isascii() and told.isdecimal() and len(told) <= _DIGITS
    return int(told) * 1000 if known else 0
