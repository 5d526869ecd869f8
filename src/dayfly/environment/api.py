"""The HTTP API: what the CLI, programs and other machines talk to."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from dayfly.balancer.routing import BalancerError
from dayfly.balancer.runtime import NoAnswerError
from dayfly.config.contexts import authority_of
from dayfly.config.problem import SettingsError
from dayfly.config.secrets import SecretError
from dayfly.environment import (
    built,
    measured,
    orders,
    preserved,
    readings,
    receiving,
    searches,
    stream,
    tokens,
    virtual,
)
from dayfly.environment.environment import Environment
from dayfly.errors import DayflyError, UsageError
from dayfly.images.git import SourceError
from dayfly.logs.tokens import TokenError
from dayfly.release.engine import BusyError
from dayfly.release.work import ReleaseError

Answer = Callable[[Environment, Request], Response | dict[str, Any] | list[Any]]
Streaming = Callable[[Environment, Request], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


class Visitor(msgspec.Struct, forbid_unknown_fields=True):
    """For whom a link into the console is."""

    who: str = ""


READINGS: dict[str, Answer] = {
    "/api/status": readings.status,
    "/api/alerts": readings.alerts,
    "/api/releases": readings.releases,
    "/api/releases/{number:int}": readings.receipt,
    "/api/releases/{number:int}/output": readings.output,
    "/api/releases/{number:int}/image": built.image,
    "/api/releases/{number:int}/vm": virtual.vm,
    "/api/images": built.images,
    "/api/images/differences": built.image_differences,
    "/api/machines": readings.machines,
    "/api/capacity": measured.capacity,
    "/api/apps/{app}/machines/differences": built.machine_differences,
    "/api/apps/{app}/jobs": readings.jobs,
    "/api/apps/{app}/secrets": readings.secrets,
    "/api/sources/{app}": readings.known_commits,
    "/api/uploads/{name}": receiving.received,
    "/api/preserved": preserved.everything,
    "/api/tokens": tokens.listed,
    "/api/preserved/{name}": preserved.one_of_them,
}
ORDERS: dict[tuple[str, str], orders.Order] = {
    ("POST", "/api/releases"): orders.release,
    ("POST", "/api/releases/{number:int}/stop"): orders.stop,
    ("POST", "/api/apps/{app}/rollback"): orders.roll_back,
    ("POST", "/api/apps/{app}/jobs/{job}"): orders.start_job,
    ("POST", "/api/preserved/{name}/restore"): preserved.restore,
    ("POST", "/api/preserved/{name}/drop"): preserved.drop,
    ("POST", "/api/tokens"): tokens.create,
    ("DELETE", "/api/tokens/{name}"): tokens.revoke,
    ("PUT", "/api/apps/{app}/secrets/{name}"): orders.set_secret,
    ("DELETE", "/api/apps/{app}/secrets/{name}"): orders.remove_secret,
}
STREAMS: dict[tuple[str, str], Streaming] = {
    ("POST", "/api/sources/{app}"): receiving.take_bundle,
    ("GET", "/api/events"): stream.events,
    ("GET", "/api/releases/{number:int}/events"): stream.events,
    ("POST", "/api/apps/{app}/run"): stream.run,
    ("GET", "/api/logs/{question:path}"): searches.ask,
}


def application(
    environment: Environment, *, token: str, extra: list[BaseRoute], link: Callable[[str], str]
) -> Starlette:
    """The whole server: the API behind its token, and whatever pages are given as `extra`."""

    def streaming(answer: Streaming) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            return await answer(environment, request)

        return endpoint

    async def console_link(request: Request) -> Response:
        visitor = orders.read(await request.body(), Visitor)
        return JSONResponse({"url": link(visitor.who)})

    endpoints: list[tuple[str, str, Endpoint]] = [
        *(("GET", path, _reading(environment, answer)) for path, answer in READINGS.items()),
        *((method, path, _order(environment, take)) for (method, path), take in ORDERS.items()),
        *((method, path, streaming(answer)) for (method, path), answer in STREAMS.items()),
        ("POST", "/api/console-link", console_link),
    ]

    async def authority(_: Request) -> Response:
        home, api = environment.parts.home, environment.parts.settings.api
        return PlainTextResponse(authority_of(home) if api.tls else "")

    routes = [
        Route("/api/authority", authority, methods=["GET"]),  # who asks has no token yet
        *(
            Route(path, _guarded(endpoint, token), methods=[method])
            for method, path, endpoint in endpoints
        ),
    ]
    return Starlette(
        routes=[*routes, *extra],
        exception_handlers={DayflyError: translated, LookupError: not_found},
    )


def _guarded(endpoint: Endpoint, token: str) -> Endpoint:
    async def answer(request: Request) -> Response:
        if not authorised(request, token):
            return told(401, "the token is missing or wrong", "it lies in DAYFLY_HOME/token")
        return await endpoint(request)

    return answer


def _reading(environment: Environment, answer: Answer) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        found = await run_in_threadpool(answer, environment, request)
        return found if isinstance(found, Response) else JSONResponse(found)

    return endpoint


def _order(environment: Environment, take: orders.Order) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        taken = await run_in_threadpool(take, environment, request, await request.body())
        return JSONResponse(taken, 202)

    return endpoint


def authorised(request: Request, token: str) -> bool:
    kind, _, shown = request.headers.get("authorization", "").partition(" ")
    return kind.lower() == "bearer" and hmac.compare_digest(shown.encode(), token.encode())


async def translated(_: Request, error: Exception) -> Response:
    """Our own errors, with the status that says whose turn it is."""
    match error:
        case UsageError() | SettingsError() | SourceError() | SecretError():
            status = 400
        case NoAnswerError() | searches.StoreAwayError():
            status = 503
        case BusyError() | ReleaseError() | BalancerError() | TokenError():
            status = 409
        case _:
            status = 500
    return told(status, str(error), getattr(error, "hint", ""))


async def not_found(_: Request, error: Exception) -> Response:
    says, hint = (*map(str, error.args), "", "")[:2]
    return told(404, says or "not found", hint)


def told(status: int, message: str, hint: str) -> Response:
    return JSONResponse({"error": message, "hint": hint}, status)
