"""A small HTTP/1.1 server: keep-alive, sized and chunked answers, a graceful end."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

REASONS = {101: "Switching Protocols", 200: "OK", 201: "Created", 404: "Not Found"}


class BadRequestError(Exception):
    """What came is not HTTP as this server speaks it."""


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case

    @property
    def length(self) -> int:
        if "transfer-encoding" in self.headers:
            raise BadRequestError("only bodies with a Content-Length")
        return int(self.headers.get("content-length", "0"))

    @property
    def wants_close(self) -> bool:
        return self.headers.get("connection", "").lower() == "close"


@dataclass(eq=False)
class Connection:
    """One client. `headers` go with every answer; `stopping` is set when the server ends."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    headers: Mapping[str, str]
    stopping: asyncio.Event
    idle: bool = True
    closing: bool = False

    async def send(self, status: int, body: bytes, content_type: str = "text/plain") -> None:
        self.start(status, {"Content-Type": content_type, "Content-Length": str(len(body))}, body)
        await self.writer.drain()

    async def send_json(self, status: int, value: object) -> None:
        await self.send(status, json.dumps(value).encode() + b"\n", "application/json")

    def start(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        if self.stopping.is_set():
            self.closing = True
            headers = {"Connection": "close", **headers}
        lines = [f"{name}: {value}" for name, value in {**self.headers, **headers}.items()]
        head = "\r\n".join([f"HTTP/1.1 {status} {REASONS.get(status, 'Error')}", *lines, "", ""])
        self.writer.write(head.encode() + body)

    async def send_chunk(self, data: bytes) -> None:
        """One chunk of a chunked answer; an empty one ends it."""
        self.writer.write(b"%x\r\n%b\r\n" % (len(data), data))
        await self.writer.drain()


Handle = Callable[[Connection, Request], Awaitable[None]]


async def _next_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    try:
        method, target, _version = first.split(" ")
    except ValueError:
        raise BadRequestError(first) from None
    pairs = (line.partition(":") for line in lines)
    url = urlsplit(target)
    return Request(
        method=method,
        path=url.path,
        query=dict(parse_qsl(url.query)),
        headers={name.strip().lower(): value.strip() for name, _, value in pairs},
    )


@dataclass
class Server:
    """Serves until it is told to stop, then finishes what is open."""

    handle: Handle
    headers: Mapping[str, str]
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _open: dict[asyncio.Task[None], Connection] = field(default_factory=dict)

    async def serve(self, port: int, started: Callable[[], None]) -> None:
        """Listen on `port`, on every address; returns when `stopping` is set and all is done."""
        server = await asyncio.start_server(self._accept, None, port, backlog=1024)
        started()
        await self.stopping.wait()
        server.close()
        for connection in self._open.values():
            if connection.idle:
                connection.writer.close()
        if self._open:
            await asyncio.wait(list(self._open))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        connection = Connection(reader, writer, self.headers, self.stopping)
        self._open[task] = connection
        try:
            await self._answer_all(connection)
        except (OSError, EOFError, ValueError, BadRequestError):
            pass  # the client is gone or talks nonsense: its connection ends here
        finally:
            del self._open[task]
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer_all(self, connection: Connection) -> None:
        while not connection.closing:
            connection.idle = True
            request = await _next_request(connection.reader)
            if request is None:
                return
            connection.idle = False
            connection.closing = request.wants_close
            await self.handle(connection, request)
            await connection.writer.drain()
