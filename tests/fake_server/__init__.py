"""A small server that keeps the contract of the API and of the console's state, from memory."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from dayfly.client import Client
from dayfly.events import Event
from dayfly.files.operated import Operated
from ports import free_port

Endpoint = Callable[[Request], Awaitable[Response]]

NOWHERE = Operated(
    root=Path("/nonexistent/archive"),
    index=Path("/nonexistent/index"),
    accounts=Path("/nonexistent/accounts.json"),
    endpoint=lambda _: "",
)
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
    asked: list[tuple[str, Any]] = field(default_factory=list)  # path and JSON of each order
    uploads: list[bytes] = field(default_factory=list)
    disk: bytes = b""  # of any release; there is none where it is empty
    refusal: tuple[int, dict[str, str]] | None = None  # of every POST
    capacity_: dict[str, Any] = field(default_factory=dict)
    alerts_: list[dict[str, Any]] = field(default_factory=list)
    saved: Path = Path("/nonexistent/searches.json")
    operated: Operated = NOWHERE
    refers: Callable[[], Operated] | None = None  # finds the archive, or says where files are
    store: Client = field(default_factory=lambda: Client("http://127.0.0.1:9", ""))  # of logs

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

    def history(self, number: int, after: int) -> list[Event]:
        return [event for event in self.journal[after:] if event.release == number]

    def newest(self) -> int:
        return len(self.journal)

    def alerts(self) -> list[dict[str, Any]]:
        return self.alerts_

    def searches(self) -> Path:
        return self.saved

    def archive(self) -> Operated:
        return self.refers() if self.refers else self.operated

    def logs(self, question: str, **told: object) -> Generator[str]:
        yield from self.store.lines(f"/{question}", **told)

    async def events(self, after: int) -> AsyncIterator[Event]:
        while True:
            for event in self.journal[after:]:
                after = event.number
                yield event
            await asyncio.sleep(0.02)

    async def events_of(self, number: int, after: int) -> AsyncIterator[str]:
        async for event in self.events(after):
            if event.release == number:
                data = json.dumps(asdict(event))
                yield f"id: {event.number}\nevent: {event.kind}\ndata: {data}\n\n"
                if event.kind == "release.finished":
                    return


def routes(environment: FakeEnvironment) -> list[BaseRoute]:
    api = _Api(environment)
    readings = {
        "/api/status": api.status,
        "/api/alerts": api.alerts,
        "/api/releases": api.releases,
        "/api/machines": api.machines,
        "/api/capacity": api.capacity,
        "/api/releases/{number:int}": api.receipt,
        "/api/releases/{number:int}/events": api.events,
        "/api/releases/{number:int}/vm": api.vm,
        "/api/releases/{number:int}/output": api.output,
        "/api/apps/{app}/jobs": api.jobs,
        "/api/apps/{app}/secrets": api.secrets,
        "/api/sources/{app}": api.commits,
        "/api/uploads/{name}": api.received,
        "/api/{path:path}": api.nothing,
    }
    orders = {
        "/api/sources/{app}": api.upload,
        "/api/apps/{app}/secrets/{name}": api.secret,
        "/api/apps/{app}/run": api.run,
        "/api/console-link": api.link,
        "/api/{path:path}": api.order,
    }
    return [
        *(Route(path, _guarded(answer)) for path, answer in readings.items()),
        *(
            Route(path, _guarded(answer), methods=["POST", "PUT", "DELETE"])
            for path, answer in orders.items()
        ),
    ]


def _guarded(answer: Endpoint) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"error": "Not with this token.", "hint": ""}, 401)
        return await answer(request)

    return endpoint


@dataclass(frozen=True)
class _Api:
    environment: FakeEnvironment

    async def status(self, _: Request) -> Response:
        return JSONResponse(self.environment.status_)

    async def alerts(self, _: Request) -> Response:
        return JSONResponse(self.environment.alerts_)

    async def releases(self, request: Request) -> Response:
        query = request.query_params
        return JSONResponse(self.environment.releases(query.get("app"), int(query["limit"])))

    async def receipt(self, request: Request) -> Response:
        found = self.environment.receipts.get(request.path_params["number"])
        return JSONResponse(found) if found else await self.nothing(request)

    async def nothing(self, request: Request) -> Response:
        path = request.url.path.removeprefix("/api/")
        return JSONResponse({"error": f"There is no {path}.", "hint": "`dayfly releases`"}, 404)

    async def machines(self, _: Request) -> Response:
        machine = {
            "machine": "orders-2-web-1", "app": "orders", "release": 2, "process": "web",
            "kind": "process", "address": "127.0.0.1:20001", "state": "running", "healthy": True,
            "role": "serving", "memory": 64 * 1024**2, "cpu": 0.05, "started": None,
        }  # fmt: skip
        return JSONResponse([machine])

    async def capacity(self, _: Request) -> Response:
        return JSONResponse(self.environment.capacity_)

    async def events(self, request: Request) -> Response:
        after = int(request.headers.get("last-event-id", 0))
        stream = self.environment.events_of(request.path_params["number"], after)
        return StreamingResponse(stream, media_type="text/event-stream")

    async def output(self, _: Request) -> Response:
        return PlainTextResponse("build: collecting\norders-2-web-1: \x1b]0;owned\x07ready\n")

    async def jobs(self, _: Request) -> Response:
        run = {"machine": "m", "release": 2, "started": None, "finished": None, "status": 0}
        job = {"job": "nightly-export", "schedule": "30 2 * * *", "next": None, "runs": [run]}
        return JSONResponse([job])

    async def secrets(self, _: Request) -> Response:
        return JSONResponse(sorted(self.environment.secrets))

    async def commits(self, _: Request) -> Response:
        return JSONResponse({"commits": []})

    async def received(self, _: Request) -> Response:
        return JSONResponse({"offset": 0})

    async def vm(self, request: Request) -> Response:
        if not self.environment.disk:
            size = request.query_params["size"]
            return JSONResponse({"error": f"a disk of {size} is too small", "hint": "More."}, 400)
        return Response(self.environment.disk)

    async def upload(self, request: Request) -> Response:
        self.environment.uploads.append(await request.body())
        return JSONResponse({"commit": COMMIT})

    async def secret(self, request: Request) -> Response:
        name = request.path_params["name"]
        if request.method == "PUT":
            self.environment.secrets[name] = (await request.body()).decode()
        else:
            self.environment.secrets.pop(name)
        return JSONResponse({"secret": name}, 202)

    async def run(self, request: Request) -> Response:
        await self.order(request)
        line = json.dumps({"line": "hello \x1b[31mred"})
        told = f'event: output\ndata: {line}\n\nevent: finished\ndata: {{"status": 3}}\n\n'
        return PlainTextResponse(told)

    async def link(self, request: Request) -> Response:
        self.environment.asked.append(("console-link", await request.json()))
        return JSONResponse({"url": "http://127.0.0.1:8081/enter?code=once"})

    async def order(self, request: Request) -> Response:
        path = request.url.path.removeprefix("/api/")
        self.environment.asked.append((path, await request.json()))
        if self.environment.refusal:
            status, said = self.environment.refusal
            return JSONResponse(said, status)
        return JSONResponse({"release": 2}, 202)


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
