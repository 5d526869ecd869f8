"""An application that answers every kind of traffic, and misbehaves on demand.

`python3 app.py [WORD…]` listens on $PORT; the words are those of `behaviour.Behaviour`, also read
from MISBEHAVE. Standard library only.
"""

import asyncio
import hashlib
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from behaviour import MEGABYTE, Behaviour, parse
from http1 import Connection, Request, Server
from websocket import echo

RELEASE = os.environ.get("DAYFLY_RELEASE", "-")
MACHINE = os.environ.get("DAYFLY_MACHINE", "-")
VERSION = Path(__file__).with_name("VERSION")
CHUNK = 65536


@dataclass
class App:
    """The routes, and how they misbehave."""

    behaviour: Behaviour
    _due: float = 0.0  # failures owed

    async def handle(self, connection: Connection, request: Request) -> None:
        if request.path == "/healthz":
            await connection.send(
                *((503, b"ill\n") if self.behaviour.never_healthy else (200, b"ok\n"))
            )
            return
        await asyncio.sleep(self.behaviour.latency)
        if self._fails():
            await _read_body(connection, request)
            await connection.send(500, b"out of order\n")
            return
        await _route(connection, request)

    def _fails(self) -> bool:
        self._due += self.behaviour.errors
        if self._due < 1:
            return False
        self._due -= 1
        return True


async def _route(connection: Connection, request: Request) -> None:
    match request.path:
        case "/echo":
            said = request.query.get("say", "").encode() + await _read_body(connection, request)
            await connection.send(200, said)
        case "/slow":
            await asyncio.sleep(float(request.query.get("seconds", "10")))
            await connection.send(200, request.query.get("say", "").encode())
        case "/upload":
            body = await _read_body(connection, request)
            digest = hashlib.sha256(body).hexdigest()
            await connection.send_json(201, {"bytes": len(body), "sha256": digest})
        case "/events":
            await _events(connection, float(request.query.get("every", "0.2")))
        case path if path == f"/assets/app.{_version()}.js":
            await connection.send(200, b"// hashed\n", "text/javascript")
        case "/ws":
            await echo(connection, request)
        case "/" | "/version":
            about = {"version": _version(), "release": RELEASE, "machine": MACHINE}
            await connection.send_json(200, about)
        case _:
            await _read_body(connection, request)
            await connection.send(404, b"not here\n")


def _version() -> str:
    return VERSION.read_text().strip() if VERSION.exists() else "-"


async def _read_body(connection: Connection, request: Request) -> bytes:
    body, left = bytearray(), request.length
    while left:
        data = await connection.reader.read(min(left, CHUNK))
        if not data:
            raise EOFError
        body += data
        left -= len(data)
    return bytes(body)


async def _events(connection: Connection, every: float) -> None:
    """Numbered events from 1 on, until the client goes or the server stops."""
    headers = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
    connection.start(200, {**headers, "Cache-Control": "no-store"})
    number = 0
    while not connection.stopping.is_set() and not connection.writer.is_closing():
        number += 1
        await connection.send_chunk(b"id: %d\ndata: %d\n\n" % (number, number))
        await asyncio.sleep(every)
    await connection.send_chunk(b"")
    connection.closing = True


async def _eat(megabytes_per_second: float) -> None:
    eaten = []
    while True:
        eaten.append(b"x" * int(megabytes_per_second / 10 * MEGABYTE))
        await asyncio.sleep(0.1)


async def _main(behaviour: Behaviour, port: int) -> None:
    server = Server(App(behaviour).handle, {"X-Release": RELEASE, "X-Machine": MACHINE})
    loop = asyncio.get_running_loop()
    ended = (lambda: None) if behaviour.ignores_term else server.stopping.set
    loop.add_signal_handler(signal.SIGTERM, ended)
    loop.add_signal_handler(signal.SIGINT, server.stopping.set)
    eating = asyncio.create_task(_eat(behaviour.eats)) if behaviour.eats else None

    def started() -> None:
        sys.stdout.write(f"release {RELEASE}, machine {MACHINE}: listening on {port}\n")
        sys.stdout.flush()
        if behaviour.dies_after:
            loop.call_later(behaviour.dies_after, os.kill, os.getpid(), signal.SIGKILL)

    await server.serve(port, started)
    if eating:
        eating.cancel()
    sys.stdout.write("stopped\n")


def main() -> None:
    behaviour = parse([*os.environ.get("MISBEHAVE", "").split(), *sys.argv[1:]])
    if behaviour.exits:
        sys.stderr.write("this release was never meant to run\n")
        sys.exit(3)
    time.sleep(behaviour.starts_after)
    port = int(os.environ["PORT"])
    asyncio.run(_main(behaviour, _further(port) if behaviour.wrong_port else port))


def _further(port: int) -> int:
    """The next port that nobody has: the very next one may be another machine's."""
    while True:
        port += 1
        with suppress(OSError), socket.create_server(("", port)):
            return port


if __name__ == "__main__":
    main()
