"""What senders made for Elasticsearch ask of it: `_bulk`, and the questions that come before."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from dayfly.errors import DayflyError
from dayfly.logs.answers import status_of
from dayfly.logs.intake import bulk
from dayfly.logs.intake.body import Room
from dayfly.logs.intake.layout import Layouts
from dayfly.logs.store.problems import StoreFullError
from dayfly.logs.store.store import Store

PRODUCT = {"X-Elastic-Product": "Elasticsearch"}  # without it their clients refuse to talk
VERSION = "8.19.0"  # whose `_bulk` this is
WARNING = '299 Dayfly "not kept: every field is stored as it comes"'
_JSON, _COMPATIBLE = "application/json", "application/vnd.elasticsearch+json"
_NOT_KEPT = (
    "_index_template", "_component_template", "_template", "_ingest/pipeline", "_ilm/policy",
    "_data_stream",
)  # fmt: skip
_LISTS = {
    "_index_template": "index_templates",
    "_component_template": "component_templates",
    "_data_stream": "data_streams",
}
_KINDS = {
    400: "illegal_argument_exception",
    413: "content_too_long_exception",
    415: "media_type_header_exception",
    429: "es_rejected_execution_exception",
}
_NANOSECONDS = 1_000_000_000
_encode = msgspec.json.Encoder().encode
NOTHING: Mapping[str, Any] = {}
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Elastic:
    store: Store
    room: Room
    now: Callable[[], float] = time.time
    layouts: Layouts = field(default_factory=Layouts)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", _always(root()), methods=["GET"]),
            Route("/_license", _always(LICENSE), methods=["GET"]),
            Route("/_xpack", _always({"features": {}}), methods=["GET"]),
            Route("/_cluster/health", _always(HEALTH), methods=["GET"]),
            Route("/_nodes{rest:path}", _always(NODES), methods=["GET"]),
            Route("/_bulk", self._bulk, methods=["POST", "PUT"]),
            *(Route(f"/{kind}", _listed(kind), methods=["GET"]) for kind in _NOT_KEPT),
            *(Route(f"/{kind}/{{name}}", _kept, methods=["PUT", "POST"]) for kind in _NOT_KEPT),
            *(Route(f"/{kind}/{{name}}", _missing, methods=["GET"]) for kind in _NOT_KEPT),
            Route("/_refresh", _always(REFRESHED), methods=["GET", "POST"]),
            Route("/{index}/_bulk", self._bulk, methods=["POST", "PUT"]),
            Route("/{index}/_refresh", _always(REFRESHED), methods=["GET", "POST"]),
            Route("/{index}", _missing, methods=["GET"]),
            Route("/{index}", _created, methods=["PUT"]),
        ]

    async def _bulk(self, request: Request) -> Response:
        begun = time.monotonic()
        index = request.path_params.get("index", "")
        try:
            async with self.room.body(request) as body:
                items, full = await to_thread.run_sync(
                    self._taken, body, index, limiter=self.room.threads
                )
        except DayflyError as error:
            return _refused(request, error)
        took = round((time.monotonic() - begun) * 1000)
        errors = not all(item.right for item in items)
        found = {"took": took, "errors": errors, "items": bulk.answered(items)}
        return _refused(request, full, found) if full else said(request, found)

    def _taken(self, body: bytes, index: str) -> tuple[Sequence[bulk.Item], StoreFullError | None]:
        """Every item; those that are records are on disk, or none of them when there is no room."""
        now = round(self.now() * _NANOSECONDS)
        asked = bulk.read(body, index=index, now=now, layouts=self.layouts)
        try:
            if asked.frame is not None:
                self.store.keep_frame(asked.frame, batch=asked.batch)
            elif records := asked.records:
                self.store.keep(records, batch=asked.batch)
        except StoreFullError as error:
            return asked.rejected(_KINDS[429], str(error)).items, error
        return asked.items, None


def said(request: Request, value: object, status: int = 200) -> Response:
    """JSON in the type that was asked for."""
    accepted = request.headers.get("accept", "")
    kind = accepted if accepted.startswith(_COMPATIBLE) and "," not in accepted else _JSON
    return Response(_encode(value), status, dict(PRODUCT), media_type=kind)


def root() -> dict[str, Any]:
    """Who is here; clients look at the version."""
    version = {
        "number": VERSION,
        "build_flavor": "default",
        "build_type": "dayfly",
        "lucene_version": "9.12.2",
        "minimum_wire_compatibility_version": "7.17.0",
        "minimum_index_compatibility_version": "7.0.0",
    }
    return {
        "name": "dayfly",
        "cluster_name": "dayfly",
        "cluster_uuid": "dayfly",
        "version": version,
        "tagline": "You Know, for Search",
    }


LICENSE = {
    "license": {
        "status": "active",
        "uid": "00000000-0000-0000-0000-000000000000",
        "type": "basic",
        "issued_to": "dayfly",
        "issuer": "dayfly",
    }
}
HEALTH = {
    "cluster_name": "dayfly",
    "status": "green",
    "timed_out": False,
    "number_of_nodes": 1,
    "number_of_data_nodes": 1,
}
REFRESHED = {"_shards": {"total": 1, "successful": 1, "failed": 0}}  # what is taken is found
NODES: dict[str, Any] = {"cluster_name": "dayfly", "nodes": {}}


def _always(value: object) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return said(request, value)

    return endpoint


def _listed(kind: str) -> Endpoint:
    """There are none: nothing of the kind is kept."""
    return _always({_LISTS[kind]: []} if kind in _LISTS else {})


async def _missing(request: Request) -> Response:
    name = request.path_params.get("name") or request.path_params["index"]
    kind = (
        "resource_not_found_exception"
        if "name" in request.path_params
        else "index_not_found_exception"
    )
    return said(request, _error(kind, f"no such [{name}]: none are kept", 404), 404)


async def _kept(request: Request) -> Response:
    return _acknowledged(request, {})


async def _created(request: Request) -> Response:
    return _acknowledged(
        request, {"shards_acknowledged": True, "index": request.path_params["index"]}
    )


def _acknowledged(request: Request, more: dict[str, Any]) -> Response:
    """Senders stop without it; the warning says what it is worth."""
    answer = said(request, {"acknowledged": True, **more})
    answer.headers["Warning"] = WARNING
    return answer


def _refused(request: Request, error: DayflyError, items: Mapping[str, Any] = NOTHING) -> Response:
    """As Elasticsearch refuses: 429 asks to send it again later, which is true of a full disk.

    Some senders look at the status alone, others (rsyslog) only at the items: both are told.
    """
    status = 400 if isinstance(error, bulk.BulkError) else status_of(error)
    status = 429 if isinstance(error, StoreFullError) else status
    found = _error(_KINDS.get(status, "exception"), str(error), status)
    return said(request, {**found, **items}, status)


def _error(kind: str, reason: str, status: int) -> dict[str, Any]:
    cause = {"type": kind, "reason": reason}
    return {"error": {"root_cause": [cause], **cause}, "status": status}
