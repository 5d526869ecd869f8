"""A log server that listens, with a store of its own behind it."""

import http.client
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import uvicorn
from starlette.applications import Starlette

from dayfly.logs.intake.body import Room
from dayfly.logs.intake.listener import Listener
from dayfly.logs.intake.listening import NO_SYSLOG, Syslog, bound
from dayfly.logs.server import application
from dayfly.logs.store.settings import DEFAULTS, Settings
from dayfly.logs.store.store import Store

NOW = 1_793_577_600.0  # 2026-11-02T00:00Z
TOKEN = "a-long-token"


def missing(what: str) -> None:
    """A laptop may do without it; where everything has to be there it is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing")
    pytest.skip(f"{what} is missing")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.body)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.body.splitlines()]


@dataclass(frozen=True)
class Server:
    store: Store
    port: int
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Headers are named with `_` where they have `-`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = self.connection()
        try:
            connection.request(method, path, body, self.headers | sent)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read())
        finally:
            connection.close()

    def ingest(self, *records: Mapping[str, Any], **headers: str) -> Answer:
        body = "\n".join(json.dumps(record) for record in records).encode()
        return self.ask("POST", "/ingest", body, **headers)

    def search(self, query: str = "", accept: str = "*/*", **told: object) -> Answer:
        return self.ask("GET", f"/search?{urlencode({'query': query, **told})}", Accept=accept)

    def messages(self, query: str = "", **told: object) -> list[str]:
        found = self.search(query, **told)
        assert found.status == 200, found.body
        return [line["message"] for line in found.lines]


@contextmanager
def serving(  # noqa: PLR0913 - what a server is made of
    folder: Path,
    *,
    token: str = "",
    settings: Settings = DEFAULTS,
    room: Room | None = None,
    syslog: Syslog = NO_SYSLOG,
    now: Callable[[], float] = lambda: NOW,
    port: int = 0,
) -> Iterator[Server]:
    with bound(syslog) as sockets, Store(folder, settings=settings, now=now) as store:
        listener = Listener(store, sockets, syslog.zone, now)
        app = application(store, token=token, room=room, now=now, beside=listener.listening)
        with answering(app, port) as port_:
            yield Server(store, port_, {"Authorization": f"Bearer {token}"} if token else {})


@contextmanager
def answering(app: Starlette, port: int = 0) -> Iterator[int]:
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()
