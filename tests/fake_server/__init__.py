"""A small server that keeps the contract of the API and of the console's state, from memory."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from dayfly.events import Event

TOKEN = "a-token-of-the-tests"
COMMIT = "3f2a1bc9d0e14a5b8c7d6e5f4a3b2c1d0e9f8a7b"


@dataclass
class FakeEnvironment:
    """Canned answers and a journal that a test writes."""

    status_: dict[str, Any] = field(default_factory=dict)
    releases_: list[dict[str, Any]] = field(default_factory=list)
    receipts: dict[int, dict[str, Any]] = field(default_factory=dict)
    journal: list[Event] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)  # method, path, JSON
    uploads: list[bytes] = field(default_factory=list)
    refusal: tuple[int, dict[str, str]] | None = None  # of every POST

    def happen(self, kind: str, release: int | None = None, **data: object) -> Event:
        event = Event(
            number=len(self.journal) + 1,
            time=float(data.pop("at", time.time())),  # type: ignore[arg-type]
            release=release,
            app="orders",
            kind=kind,
            data=data,
        )
        self.journal.append(event)
        return event

    # the console's State
    def status(self) -> dict[str, Any]:
        return self.status_

    def releases(self, app: str | None, limit: int) -> list[dict[str, Any]]:
        return [entry for entry in self.releases_ if app in {None, entry["app"]}][:limit]

    def receipt(self, number: int) -> dict[str, Any] | None:
        return self.receipts.get(number)

    def history(self, number: int) -> list[Event]:
        return [event for event in self.journal if event.release == number]

    def newest(self) -> int:
        return len(self.journal)

    async def events(self, after: int) -> AsyncIterator[Event]:
        while True:
            for event in self.journal[after:]:
                after = event.number
                yield event
            await asyncio.sleep(0.02)

    async def events_of(self, number: int, after: int) -> AsyncIterator[str]:
        async for event in self.events(after):
            if event.release == number:
                yield f"id: {event.number}\nevent: {event.kind}\ndata: {json.dumps(asdict(event))}\n\n"
                if event.kind == "release.finished":
                    return


def routes(environment: FakeEnvironment) -> list[BaseRoute]:
    async def answer(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"error": "Not with this token.", "hint": ""}, 401)
        return await _answer(environment, request, request.path_params["path"])

    return [Route("/api/{path:path}", answer, methods=["GET", "POST", "PUT", "DELETE"])]


async def _answer(environment: FakeEnvironment, request: Request, path: str) -> Response:
    body = await request.body()
    if request.method == "GET":
        return _read(environment, request, path)
    if path.startswith("sources/"):
        environment.uploads.append(body)
        return JSONResponse({"commit": COMMIT})
    if "/secrets/" in path:
        name = path.rpartition("/")[2]
        if request.method == "PUT":
            environment.secrets[name] = body.decode()
        else:
            environment.secrets.pop(name)
        return Response(status_code=204)
    environment.asked.append((request.method, path, json.loads(body)))
    if environment.refusal:
        status, said = environment.refusal
        return JSONResponse(said, status)
    if path.endswith("/run"):
        lines = 'event: output\ndata: {"line": "hello \\u001b[31mred"}\n\n'
        return PlainTextResponse(f'{lines}event: finished\ndata: {{"status": 3}}\n\n')
    if path == "console-link":
        return JSONResponse({"url": "http://127.0.0.1:8081/enter?code=once"})
    return JSONResponse({"release": 2}, 202)


def _read(environment: FakeEnvironment, request: Request, path: str) -> Response:
    query = request.query_params
    parts = path.split("/")
    if path == "status":
        return JSONResponse(environment.status_)
    if path == "releases":
        return JSONResponse(environment.releases(query.get("app"), int(query["limit"])))
    if path == "machines":
        return JSONResponse([
            {"machine": "orders-2-web-1", "app": "orders", "release": 2, "process": "web",
             "kind": "process", "address": "127.0.0.1:20001", "state": "running", "healthy": True,
             "role": "serving", "memory": 64 * 1024**2, "cpu": 0.05, "started": None},
        ])  # fmt: skip
    if parts[-1] == "events":
        after = int(request.headers.get("last-event-id") or query.get("after", 0))
        stream = environment.events_of(int(parts[1]), after)
        return StreamingResponse(stream, media_type="text/event-stream")
    if parts[-1] == "output":
        return PlainTextResponse("build: collecting\norders-2-web-1: \x1b]0;owned\x07ready\n")
    if parts[-1] == "secrets":
        return JSONResponse(sorted(environment.secrets))
    if parts[-1] == "jobs":
        run = {"machine": "m", "release": 2, "started": None, "finished": None, "status": 0}
        job = {"job": "nightly-export", "schedule": "30 2 * * *", "next": None, "runs": [run]}
        return JSONResponse([job])
    if parts[0] == "sources":
        return JSONResponse({"commits": []})
    if parts[0] == "releases" and int(parts[1]) in environment.receipts:
        return JSONResponse(environment.receipts[int(parts[1])])
    return JSONResponse({"error": f"There is no {path}.", "hint": "`dayfly releases`"}, 404)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(routes: list[BaseRoute], port: int | None = None) -> Iterator[str]:
    """The routes, served on loopback by a real uvicorn; its address."""
    port = port or free_port()
    config = uvicorn.Config(
        Starlette(routes=routes), port=port, log_level="warning", ws="none", lifespan="off",
        timeout_graceful_shutdown=0,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def make_home(folder: Path, address: str) -> dict[str, str]:
    """A DAYFLY_HOME whose environment answers at `address`, as variables for a command."""
    folder.mkdir(exist_ok=True)
    listen = address.removeprefix("http://")
    (folder / "environment.toml").write_text(f'name = "production"\n[api]\nlisten = "{listen}"\n')
    (folder / "token").write_text(TOKEN)
    return {"DAYFLY_HOME": str(folder)}
