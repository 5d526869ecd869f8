"""Talk to an environment's server: JSON, an upload, and event streams that survive its restart."""

import errno
import hashlib
import http.client
import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from dayfly import arriving
from dayfly.errors import DayflyError
from dayfly.events import Event
from dayfly.way import Line, Way, connection, is_address, line_to

SECONDS = 30.0  # for an answer, and the next word of an event stream
UPLOAD_SECONDS = 600.0  # for git to look at everything that was sent
PATIENCE_SECONDS = 60.0  # for a server that restarts while its events are followed
PAUSE_SECONDS = 0.3
REFUSED_FROM = 400
LARGEST_CERTIFICATE = 64 * 1024
# A route that holds back what a tunnel does not take answers EINVAL.
NO_WAY = frozenset((errno.EINVAL, errno.ENETUNREACH, errno.EHOSTUNREACH))
THROUGH = "Where a tunnel leads there, `dayfly tunnel status` on its gateway says why it is down."
BINARY = "application/octet-stream"
WAITS = "release.waits"  # for its window; much later it goes on
LAST = frozenset({"release.finished", "rollback.finished", WAITS})  # who follows is done


class ClientError(DayflyError):
    """No answer (`status` is None), or an answer that says no."""

    def __init__(self, message: str, *, hint: str = "", status: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class Client:
    """One server. Every call opens a connection of its own, so nothing is left to close."""

    def __init__(  # noqa: PLR0913 - each says something else of one server
        self,
        address: str,
        token: str,
        *,
        environment: str = "production",
        called: str = "",
        seconds: float = SECONDS,
        ca: str = "",
        way: Way | None = None,
    ) -> None:
        """`called`: what answers there, where that is no environment's server.

        `ca`: who signed its certificate, as PEM; without it those that the system trusts.
        `way`: to where the address is right; without it, here.
        """
        self.address = address.rstrip("/")
        self._called = called
        self.environment = environment
        self._token = token
        self._seconds = seconds
        self._ca = ca
        self._way = way

    def get(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        return self._json("GET", _with_query(path, query))

    def post(self, path: str, value: object = None, *, seconds: float | None = None) -> Any:  # noqa: ANN401 - JSON
        body = json.dumps(value or {}).encode()
        with self._answer("POST", path, body, "application/json", seconds=seconds) as answer:
            return _decoded(answer.read())

    def put(self, path: str, text: str) -> None:
        self._json("PUT", path, text.encode(), "text/plain; charset=utf-8")

    def delete(self, path: str) -> None:
        self._json("DELETE", path)

    def upload(self, path: str, file: Path) -> Any:  # noqa: ANN401 - JSON
        """Send a file of any size; after a break it goes on with what the server lacks.

        Given up when nothing more arrived there in a while that began with a break.
        """
        with file.open("rb") as source:
            name = hashlib.file_digest(source, "sha256").hexdigest()
        there, silent_at = self._there(name), 0.0
        while True:
            try:
                return self._sent_from(there, path, file, name)
            except ClientError as error:
                if error.status is not None:
                    raise
                lost, broken_at = error, time.monotonic()
            before, there = there, self._there_again(name, lost)
            silent_at = broken_at if there > before or not silent_at else silent_at
            if time.monotonic() - silent_at > PATIENCE_SECONDS:
                raise lost

    def _there_again(self, name: str, lost: ClientError) -> int:
        """As soon as it answers after a break."""
        broken_at = time.monotonic()
        while time.monotonic() - broken_at <= PATIENCE_SECONDS:
            time.sleep(PAUSE_SECONDS)
            try:
                return self._there(name)
            except ClientError as error:
                if error.status is not None:
                    raise
        raise lost

    def _there(self, name: str) -> int:
        """How much of a file the server has already."""
        return int(self.get(f"/api/uploads/{name}")["offset"])

    def _sent_from(self, offset: int, path: str, file: Path, name: str) -> Any:  # noqa: ANN401 - JSON
        size = file.stat().st_size
        headers = {
            "Content-Length": str(size - offset),
            "Upload-Id": name,
            "Upload-Offset": str(offset),
            "Upload-Length": str(size),
        }
        with file.open("rb") as source:
            source.seek(offset)
            with self._answer("POST", path, source, BINARY, headers) as answer:
                return _decoded(answer.read())

    def lines(self, path: str, **query: object) -> Iterator[str]:
        """The lines of a text answer, as they come; ClientError where it breaks off."""
        with self._answer("GET", _with_query(path, query)) as answer:
            yield from arriving.lines(answer)

    def pieces(self, path: str, **query: object) -> Iterator[bytes]:
        """A binary answer as it comes; ClientError where it breaks off."""
        with self._answer("GET", _with_query(path, query)) as answer:
            yield from arriving.pieces(answer)

    def stream(self, path: str, value: object) -> Iterator[tuple[str, Any]]:
        """(event, data) of a POST that answers with an event stream; it is never repeated."""
        body = json.dumps(value).encode()
        with self._answer("POST", path, body, "application/json") as answer:
            yield from _messages(answer)

    def events(self, path: str, after: int = 0) -> Iterator[Event]:
        """Events after number `after`, up to a release's last one, across restarts of the server.

        A stream that ends early is asked for again from the last event seen. It has really ended
        when it is twice empty: one empty answer may be a server on its way down.
        """
        empty = 0
        lost_at: float | None = None
        while empty <= 1:
            before = after
            try:
                for event in self._events_once(path, after):
                    after, lost_at = event.number, None
                    yield event
                    if event.kind in LAST:
                        return
                empty = empty + 1 if after == before else 0
            except ClientError as error:
                empty, lost_at = 0, lost_at or time.monotonic()
                if error.status is not None or time.monotonic() - lost_at > PATIENCE_SECONDS:
                    raise
            time.sleep(PAUSE_SECONDS)

    def _events_once(self, path: str, after: int) -> Iterator[Event]:
        with self._answer("GET", path, headers={"Last-Event-ID": str(after)}) as answer:
            for _kind, data in _messages(answer):
                yield Event(**{key: data.get(key) for key in ("release", "app")}, **_fact(data))

    def _json(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> Any:  # noqa: ANN401
        with self._answer(method, path, body, kind) as answer:
            return _decoded(answer.read())

    @contextmanager
    def _answer(
        self,
        method: str,
        path: str,
        body: Any = None,  # noqa: ANN401 - bytes or an open file
        kind: str = "",
        headers: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        sent = {"Authorization": f"Bearer {self._token}", **(headers or {})}
        if kind:
            sent["Content-Type"] = kind
        with self._connected(seconds or self._seconds) as reached:
            reached.request(method, path, body=body, headers=sent)
            if kind == BINARY and reached.sock:
                reached.sock.settimeout(UPLOAD_SECONDS)
            answer = reached.getresponse()
            if answer.status >= REFUSED_FROM:
                raise self._refusal(answer.status, answer.read())
            yield answer

    @contextmanager
    def _connected(self, seconds: float) -> Iterator[http.client.HTTPConnection]:
        """Its end without an answer, in the block too, is a ClientError without a status."""
        if not is_address(self.address):
            raise ClientError(
                f"{self.address}: not the address of a server",
                hint="An address looks like http://127.0.0.1:8081.",
            )
        with line_to(self._way, self.address) as line:
            try:
                made = connection(self.address, ca=self._ca, seconds=seconds, line=line)
                with closing(made):
                    yield made
            except (OSError, http.client.HTTPException) as error:
                raise self._silence(error, line) from error

    def _silence(self, error: Exception, line: Line | None) -> ClientError:
        if failure := line and line.failure():
            return ClientError(failure.message, hint=failure.hint)
        called = self._called or f"The server of environment {self.environment}"
        there = f"{self.address} on {self._way.end}" if self._way else self.address
        no_way = isinstance(error, OSError) and error.errno in NO_WAY
        what = "nothing leaves for it from here" if no_way else error or type(error).__name__
        up = f"`dayfly up` {'there ' if self._way else ''}starts it."
        hint = THROUGH if no_way else "" if self._called else up
        return ClientError(f"{called} does not answer at {there} ({what}).", hint=hint)

    def _refusal(self, status: int, body: bytes) -> ClientError:
        said = _json_or_none(body)
        said = said if isinstance(said, dict) else {}
        message = said.get("error") or f"The server answered {status}."
        return ClientError(str(message), hint=str(said.get("hint") or ""), status=status)


def authority_at(address: str, *, seconds: float = SECONDS) -> str:
    """Who signs the certificate of the server there, by its own words; empty where it has none.

    To be compared with what its operator says, before it is entrusted with anything.
    """
    parts = urlsplit(address)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=seconds, context=context
        )
        with closing(connection):
            connection.request("GET", "/api/authority")
            answer = connection.getresponse()
            return answer.read(LARGEST_CERTIFICATE).decode(errors="replace")
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ClientError(f"{address}: no server of Dayfly answers there ({error})") from error


def part(name: str) -> str:
    """A name as one part of a path, whatever characters it has."""
    return quote(name, safe="")


def _with_query(path: str, query: Mapping[str, object]) -> str:
    given = {key: value for key, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _fact(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: data[key] for key in ("number", "time", "kind", "data")}


def _messages(answer: http.client.HTTPResponse) -> Iterator[tuple[str, Any]]:
    """(event, data) of each message of a text/event-stream; data is JSON."""
    kind, data = "message", list[str]()
    while raw := answer.readline():
        name, _, value = raw.decode(errors="replace").rstrip("\r\n").partition(":")
        if name == "event":
            kind = value.removeprefix(" ")
        elif name == "data":
            data.append(value.removeprefix(" "))
        elif not name and not value and data:
            yield kind, _decoded("\n".join(data).encode())
            kind, data = "message", []


def _decoded(body: bytes) -> Any:  # noqa: ANN401 - JSON
    if not body:
        return None
    found = _json_or_none(body)
    if found is None and body.strip() != b"null":
        raise ClientError("The server answered something that is not JSON.")
    return found


def _json_or_none(body: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(body)
    except ValueError:
        return None
