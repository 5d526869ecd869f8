"""A bundle reaches the server over a connection that breaks."""

import hashlib
import http.client
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from dayfly.client import Client, ClientError
from dayfly.environment.receiving import FOLDER, here, taken
from dayfly.errors import UsageError
from fake_server import serving

MEGABYTE = 1 << 20


@dataclass
class Server:
    """The two routes that an upload needs, and the files that arrived whole."""

    folder: Path
    received: list[bytes] = field(default_factory=list)

    def receive(self, _app: str, path: Path) -> str:
        self.received.append(path.read_bytes())
        return "c0ffee"

    @property
    def routes(self) -> list[BaseRoute]:
        async def take(request: Request) -> Response:
            try:
                return await taken(self.folder, self.receive, request)
            except UsageError as error:
                return JSONResponse({"error": error.message}, 400)

        async def tell(request: Request) -> Response:
            return JSONResponse({"offset": here(self.folder, request.path_params["name"])})

        return [
            Route("/api/sources/{app}", take, methods=["POST"]),
            Route("/api/uploads/{name}", tell),
        ]


@contextmanager
def breaking(address: str, cuts: list[int]) -> Iterator[str]:
    """A way to a server that breaks: each of the first connections after so many bytes."""
    target = (str(urlsplit(address).hostname), urlsplit(address).port or 0)
    door = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def both(one: socket.socket, most: int | None) -> None:
        with one, socket.create_connection(target) as other:
            back = threading.Thread(target=passed, args=(other, one, None))
            back.start()
            passed(one, other, most)
            back.join()

    def serve() -> None:
        with suppress(OSError):
            while True:
                one, _ = door.accept()
                threads.append(
                    threading.Thread(target=both, args=(one, cuts.pop(0) if cuts else None))
                )
                threads[-1].start()

    server = threading.Thread(target=serve)
    server.start()
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
    finally:
        door.shutdown(socket.SHUT_RDWR)
        server.join()
        door.close()
        for thread in threads:
            thread.join()


def passed(source: socket.socket, target: socket.socket, most: int | None) -> None:
    count = 0
    with suppress(OSError):
        while data := source.recv(16384):
            count += len(data)
            target.sendall(data)
            if most is not None and count > most:
                break
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "bundle"
    path.write_bytes(os.urandom(4 * MEGABYTE))
    return path


def test_after_a_break_it_goes_on_with_what_is_missing(bundle: Path, tmp_path: Path) -> None:
    """Connections in turn: a question, a piece, a question, and so on."""
    server = Server(tmp_path)
    cuts = [MEGABYTE, MEGABYTE, MEGABYTE, 2 * MEGABYTE]
    with serving(server.routes) as address, breaking(address, cuts) as way:
        assert Client(way, "token").upload("/api/sources/orders", bundle) == {"commit": "c0ffee"}

    assert server.received == [bundle.read_bytes()]
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_what_is_here_is_not_sent_again(bundle: Path, tmp_path: Path) -> None:
    server, raw = Server(tmp_path), bundle.read_bytes()
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / hashlib.sha256(raw).hexdigest()).write_bytes(raw[:-5])
    with serving(server.routes) as address, breaking(address, [MEGABYTE, MEGABYTE]) as way:
        Client(way, "token").upload("/api/sources/orders", bundle)  # a break would end it

    assert server.received == [raw]


@pytest.mark.parametrize(
    ("headers", "body", "says"),
    [
        ({"Upload-Id": "x"}, b"", "whole numbers"),
        ({"Upload-Id": "../x", "Upload-Offset": "0", "Upload-Length": "1"}, b"a", "SHA-256"),
        ({"Upload-Id": "0" * 64, "Upload-Offset": "2", "Upload-Length": "1"}, b"a", "0 to 1"),
        ({"Upload-Id": "0" * 64, "Upload-Offset": "1", "Upload-Length": "9"}, b"a", "only 0 bytes"),
        ({"Upload-Id": "0" * 64, "Upload-Offset": "0", "Upload-Length": "1"}, b"ab", "more than"),
        ({"Upload-Id": "0" * 64, "Upload-Offset": "0", "Upload-Length": "1"}, b"a", "not the file"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, headers: dict[str, str], body: bytes, says: str
) -> None:
    server = Server(tmp_path)
    with serving(server.routes) as address:
        connection = http.client.HTTPConnection(urlsplit(address).netloc)
        connection.request("POST", "/api/sources/orders", body=body, headers=headers)
        answer = connection.getresponse()
        assert answer.status == 400
        assert says in answer.read().decode()
        connection.close()

    assert server.received == []


def test_a_server_that_is_not_there_is_told_at_once(bundle: Path) -> None:
    with pytest.raises(ClientError, match="does not answer"):
        Client("http://127.0.0.1:9", "token").upload("/api/sources/orders", bundle)
