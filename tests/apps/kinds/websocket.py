"""The server's side of RFC 6455, as much as an echo needs: no extensions, no fragments."""

import asyncio
import base64
import contextlib
import hashlib
from asyncio import IncompleteReadError, StreamReader

from http1 import Connection, Request

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
GOING_AWAY = 1001
GOODBYE_SECONDS = 2.0


def _accept_key(key: str) -> str:
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def _frame(opcode: int, payload: bytes) -> bytes:
    head = bytes([0x80 | opcode])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    return head + b"\x7e" + len(payload).to_bytes(2, "big") + payload


async def _next_frame(reader: StreamReader) -> tuple[int, bytes]:
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2), "big")
    elif length == 127:
        raise ValueError("a frame of more than 64 KiB")
    mask = await reader.readexactly(4)
    payload = await reader.readexactly(length)
    return first & 0x0F, bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


async def _echo_all(connection: Connection) -> None:
    while True:
        opcode, payload = await _next_frame(connection.reader)
        if opcode == PING:
            opcode = PONG
        connection.writer.write(_frame(opcode, payload))
        await connection.writer.drain()
        if opcode == CLOSE:
            return


async def echo(connection: Connection, request: Request) -> None:
    """Say back what is said until the client closes; when the server stops: 1001."""
    connection.closing = True
    key = request.headers.get("sec-websocket-key")
    if key is None:
        await connection.send(400, b"this is a websocket\n")
        return
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade"}
    connection.start(101, {**upgrade, "Sec-WebSocket-Accept": _accept_key(key)})
    echoing = asyncio.create_task(_echo_all(connection))
    stopping = asyncio.create_task(connection.stopping.wait())
    await asyncio.wait([echoing, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not echoing.done():
        connection.writer.write(_frame(CLOSE, GOING_AWAY.to_bytes(2, "big")))
        await asyncio.wait([echoing], timeout=GOODBYE_SECONDS)
        echoing.cancel()
    with contextlib.suppress(IncompleteReadError, OSError, ValueError, asyncio.CancelledError):
        await echoing
