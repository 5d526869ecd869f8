"""One HTTP/1.1 connection that takes nothing for granted: every flaw is a BrokenError."""

import asyncio
import contextlib
import select
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from traffic.plan import Target

CHUNK = 65536
SETTLE_SECONDS = 0.001
PARTS = 10  # a slow body is sent in so many


class BrokenError(Exception):
    """The server's failure; `what` says it in a word or two: reset, timeout, status 502."""

    def __init__(self, what: str, release: str = "-") -> None:
        super().__init__(what)
        self.what = what
        self.release = release


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def release(self) -> str:
        return self.headers.get("x-release", "-")


@dataclass(frozen=True, kw_only=True)
class Question:
    """One request and how to know the right answer: `flaw` says what is wrong, or nothing."""

    method: str = "GET"
    path: str
    body: bytes = b""
    content_type: str = "text/plain"
    flaw: Callable[[Answer], str]
    reference: str = ""  # what a POST creates
    seconds: float = 0.0  # how long the answer, or sending the body, is meant to take

    def verify(self, answer: Answer) -> None:
        flaw = self.flaw(answer)
        if flaw:
            raise BrokenError(flaw, answer.release)


@contextlib.asynccontextmanager
async def strictly(seconds: float) -> AsyncIterator[None]:
    """Whatever breaks inside is a BrokenError, and so is taking longer than `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise BrokenError("timeout") from error
    except ConnectionRefusedError as error:
        raise BrokenError("refused") from error
    except asyncio.IncompleteReadError as error:
        raise BrokenError("truncated" if error.partial else "closed without an answer") from error
    except ssl.SSLError as error:
        raise BrokenError(f"tls: {error.reason}") from error
    except ConnectionError as error:
        raise BrokenError("reset") from error
    except OSError as error:
        raise BrokenError(f"{error.strerror or error}") from error
    except (ValueError, asyncio.LimitOverrunError) as error:
        raise BrokenError(f"not HTTP: {error}") from error


async def settled(writer: asyncio.StreamWriter) -> None:
    """Let the event loop read what lies there unread: an end of the connection, or noise."""
    poll = select.poll()
    poll.register(writer.get_extra_info("socket").fileno(), select.POLLIN)
    if poll.poll(0):
        await asyncio.sleep(SETTLE_SECONDS)


class Wire:
    """A connection. After a BrokenError it is of no use any more."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: Target
    ) -> None:
        self.reader, self.writer, self.target = reader, writer, target
        self.reusable = True

    @classmethod
    async def open(cls, target: Target, seconds: float) -> "Wire":
        async with strictly(seconds):
            name = target.host if target.tls else None
            pair = await asyncio.open_connection(
                target.host, target.port, ssl=target.tls, server_hostname=name
            )
            return cls(*pair, target)

    async def ask(self, question: Question, seconds: float) -> Answer:
        """Send a request and read the whole answer, right or wrong."""
        async with strictly(seconds + question.seconds):
            await self._send(question)
            status, headers = await self.head()
        async with _inside_body(seconds, headers):
            body = await self._body(question.method, status, headers)
        return Answer(status=status, headers=headers, body=body)

    def send_head(self, question: Question, headers: Mapping[str, str]) -> None:
        lines = [f"{question.method} {question.path} HTTP/1.1", f"Host: {self.target.netloc}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def _send(self, question: Question) -> None:
        headers = {}
        if question.method == "POST":
            headers["Content-Type"] = question.content_type
            headers["Content-Length"] = str(len(question.body))
        self.send_head(question, headers)
        slowly = question.seconds and question.body
        size = -(-len(question.body) // PARTS) if slowly else len(question.body)
        for start in range(0, len(question.body), size or 1):
            self.writer.write(question.body[start : start + size])
            await self.writer.drain()
            if slowly:
                await asyncio.sleep(question.seconds / PARTS)

    async def head(self) -> tuple[int, dict[str, str]]:
        """Status and headers of the answer; ValueError when they are none."""
        raw = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = raw.decode("latin-1")[:-4].split("\r\n")
        version, status, *_ = first.split(" ")
        if version not in ("HTTP/1.1", "HTTP/1.0"):
            raise ValueError(first)
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        closes = headers.get("connection", "").lower() == "close"
        self.reusable = version == "HTTP/1.1" and not closes
        return int(status), headers

    async def _body(self, method: str, status: int, headers: Mapping[str, str]) -> bytes:
        if method == "HEAD" or status in (204, 304):
            return b""
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return b"".join([chunk async for chunk in self.chunks()])
        if "content-length" in headers:
            return await self.reader.readexactly(int(headers["content-length"]))
        self.reusable = False
        return await self.reader.read()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The parts of a chunked body; an end before the last one is an IncompleteReadError."""
        while True:
            line = await self.reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            data = await self.reader.readexactly(size + 2)
            if not data.endswith(b"\r\n"):
                raise ValueError("a chunk of the wrong size")
            if not size:
                return
            yield data[:-2]

    async def closed_by_server(self) -> bool:
        """Has the server closed while nothing was asked? Looks before the next word is sent."""
        if self.writer.is_closing():
            return True
        await settled(self.writer)
        return self.reader.at_eof() or self.reader.exception() is not None

    def close(self) -> None:
        self.writer.close()


@contextlib.asynccontextmanager
async def _inside_body(seconds: float, headers: Mapping[str, str]) -> AsyncIterator[None]:
    release = headers.get("x-release", "-")
    try:
        async with strictly(seconds):
            yield
    except BrokenError as error:
        what = "truncated" if error.what == "closed without an answer" else error.what
        raise BrokenError(what, release) from error
