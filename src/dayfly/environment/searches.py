"""Questions about logs, handed on to the log store: who may talk to this API may ask there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dayfly.environment import logstore
from dayfly.environment.environment import Environment
from dayfly.errors import DayflyError

PREFIX = b"/api/logs"
BLOCK = 1 << 16
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 700.0  # until the first line of an answer; a search may take 600
HEAD = 1 << 16  # bytes of an answer's headers


class StoreAwayError(DayflyError):
    """The log store does not answer."""


async def ask(environment: Environment, request: Request) -> Response:
    """The answer as it comes; whoever leaves ends the search."""
    home = environment.parts.home
    reader, writer = await _connected(logstore.url(home))
    try:
        await _send(writer, request, logstore.token(home))
        status, kind = await asyncio.wait_for(_head(reader), ANSWER_SECONDS)
    except BaseException as error:
        writer.close()
        if isinstance(error, OSError | EOFError | ValueError):
            raise _away(error) from error
        raise
    return StreamingResponse(_body(reader, writer), status, media_type=kind)


async def _connected(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    try:
        opening = asyncio.open_connection(parts.hostname, parts.port, limit=HEAD)
        return await asyncio.wait_for(opening, CONNECT_SECONDS)
    except OSError as error:
        raise _away(error) from error


async def _send(writer: asyncio.StreamWriter, request: Request, token: str) -> None:
    """In HTTP/1.0 an answer ends with its connection, and is not cut into chunks."""
    path = bytes(request.scope["raw_path"]).removeprefix(PREFIX)
    query = bytes(request.scope["query_string"])
    lines = [
        b"GET %b%b HTTP/1.0" % (path, b"?" + query if query else b""),
        b"Authorization: Bearer " + token.encode(),
        b"Accept: " + request.headers.get("accept", "*/*").encode("latin-1"),
    ]
    writer.write(b"\r\n".join([*lines, b"", b""]))
    await writer.drain()


async def _head(reader: asyncio.StreamReader) -> tuple[int, str]:
    """Status and content type."""
    text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *others = text.split("\r\n")
    told = {name.strip().lower(): value.strip() for name, _, value in _pairs(others)}
    return int(first.split()[1]), told.get("content-type", "application/json")


def _pairs(lines: list[str]) -> list[tuple[str, str, str]]:
    return [line.partition(":") for line in lines if line]


async def _body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> AsyncIterator[bytes]:
    try:
        while block := await reader.read(BLOCK):
            yield block
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
