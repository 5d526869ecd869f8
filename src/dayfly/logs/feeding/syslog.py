"""On to a syslog server over TCP or TLS (RFC 5424, each message with its length before it).

The protocol has no answers. A message counts as delivered when the receiver's computer has taken
it; what was under way when the connection broke is sent again.
"""

import array
import fcntl
import socket
import ssl
import termios
from collections.abc import Sequence

from dayfly.clock import DeadlineError, wait_until
from dayfly.logs.feeding.entry import AgainError, Entry, Outcome
from dayfly.logs.feeding.settings import Feed
from dayfly.logs.feeding.web import SECONDS, trusted
from dayfly.logs.query.instants import iso
from dayfly.logs.query.meaning import text_of
from dayfly.logs.record import Record

USER = 1  # the facility
SEVERITIES = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}
NOTICE = 5  # of what has no level
ID = "dayfly@32473"  # of structured data; the number is the one for examples
NOTHING = "-"
_NAMES = ("app", "release", "machine", "stream", "level")
_BARE = {ord(character): None for character in ' ="]'}


class Syslog:
    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._socket: socket.socket | None = None

    def close(self) -> None:
        if self._socket:
            self._socket.close()
            self._socket = None

    def deliver(self, entries: Sequence[Entry]) -> Outcome:
        messages = [message(each.record) for each in entries]
        framed = b"".join(b"%d %b" % (len(each), each) for each in messages)
        try:
            connection = self._socket = self._socket or self._connected()
            _refuse_closed(connection)
            connection.sendall(framed)
            wait_until(
                lambda: not _under_way(connection), seconds=SECONDS, what="the receiver's computer"
            )
            _refuse_closed(connection)
        except (OSError, DeadlineError) as error:
            self.close()
            raise AgainError(f"{self._feed.url} does not take it: {error}") from error
        return Outcome()

    def _connected(self) -> socket.socket:
        address = self._feed.address()
        host = address.hostname or ""
        plain = socket.create_connection((host, address.port or 0), timeout=SECONDS)
        if address.scheme == "tcp":
            return plain
        return trusted(self._feed).wrap_socket(plain, server_hostname=host)


def message(record: Record) -> bytes:
    priority = USER * 8 + SEVERITIES.get(record.level, NOTICE)
    head = [
        iso(record.time // 1000 * 1000),  # it allows microseconds
        _word(record.host or record.machine, 255),
        _word(record.app or record.process, 48),
        _word(record.process, 128),
        NOTHING,
        _data(record),
    ]
    return f"<{priority}>1 {' '.join(head)} {record.message}".encode(errors="replace")


def _word(text: str, longest: int) -> str:
    return "".join(c if "!" <= c <= "~" else "_" for c in text)[:longest] or NOTHING


def _data(record: Record) -> str:
    attributes = {name: getattr(record, name) for name in _NAMES}
    told = {name: value for name, value in attributes.items() if value} | dict(record.fields)
    items = "".join(f' {_name(name)}="{_escaped(text_of(value))}"' for name, value in told.items())
    return f"[{ID}{items}]"


def _name(name: str) -> str:
    return _word(name.translate(_BARE), 32)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def _under_way(connection: socket.socket) -> int:
    """Bytes that the other side's kernel has not acknowledged."""
    found = array.array("i", [0])
    fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, found)
    return found[0]


def _refuse_closed(connection: socket.socket) -> None:
    """A syslog server never says anything: what can be read is its leaving, or TLS's own talk."""
    connection.setblocking(False)
    try:
        left = not connection.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        left = False
    finally:
        connection.settimeout(SECONDS)
    if left:
        raise ConnectionResetError("it has closed the connection")
