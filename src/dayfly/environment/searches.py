"""Questions about logs, handed on to the log store: who may talk to this API may ask there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

import httptools
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dayfly.environment import logstore
from dayfly.environment.environment import Environment
from dayfly.errors import DayflyError

PREFIX = b"/api/logs"
BLOCK = 1 << 16
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 700.0  # until the first line of an answer; a search may take 600


class StoreAwayError(DayflyError):
    """The log store does not answer."""


async def ask(environment: Environment, request: Request) -> Response:
    """The answer as it comes; whoever leaves ends the search."""
    home = environment.parts.home
    reader, writer = await _connected(logstore.url(home))
    answer = _Answer(reader)
    try:
        await _send(writer, request, logstore.token(home))
        await asyncio.wait_for(answer.headed(), ANSWER_SECONDS)
    except BaseException as error:
        writer.close()
        if isinstance(error, OSError | EOFError | httptools.HttpParserError):
            raise _away(error) from error
        raise
    return StreamingResponse(_body(answer, writer), answer.status, media_type=answer.kind)


async def _connected(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    try:
        opening = asyncio.open_connection(parts.hostname, parts.port)
        return await asyncio.wait_for(opening, CONNECT_SECONDS)
    except OSError as error:
        raise _away(error) from error


async def _send(writer: asyncio.StreamWriter, request: Request, token: str) -> None:
    path = bytes(request.scope["raw_path"]).removeprefix(PREFIX)
    query = bytes(request.scope["query_string"])
    lines = [
        b"GET %b%b HTTP/1.1" % (path, b"?" + query if query else b""),
        b"Host: logs",
        b"Connection: close",
        b"Authorization: Bearer " + token.encode(),
        b"Accept: " + request.headers.get("accept", "*/*").encode("latin-1"),
    ]
    writer.write(b"\r\n".join([*lines, b"", b""]))
    await writer.drain()


class _Answer:
    """What the store says, as far as it was read; EOFError where it breaks off."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._parser = httptools.HttpResponseParser(self)
        self._headed = self._whole = False
        self._came: list[bytes] = []
        self.kind = "application/json"

    @property
    def status(self) -> int:
        return int(self._parser.get_status_code())

    async def headed(self) -> None:
        """Return when status and headers are known."""
        while not self._headed:
            await self._more()

    async def blocks(self) -> AsyncIterator[bytes]:
        while True:
            came, self._came = self._came, []
            if came:
                yield b"".join(came)
            if self._whole:
                return
            await self._more()

    async def _more(self) -> None:
        block = await self._reader.read(BLOCK)
        if not block:
            raise EOFError("its answer broke off")
        self._parser.feed_data(block)

    # the parser's
    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-type":
            self.kind = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._headed = True

    def on_body(self, data: bytes) -> None:
        self._came.append(data)

    def on_message_complete(self) -> None:
        self._whole = True


async def _body(answer: _Answer, writer: asyncio.StreamWriter) -> AsyncIterator[bytes]:
    """What breaks off there breaks off here."""
    try:
        async for block in answer.blocks():
            yield block
    except (OSError, EOFError, httptools.HttpParserError) as error:
        raise _away(error) from error
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _away(error: Exception) -> StoreAwayError:
    said = str(error) or type(error).__name__
    return StoreAwayError(
        f"The log store does not answer ({said}).",
        hint="`dayfly up` starts it; what is written meanwhile waits on disk.",
    )
