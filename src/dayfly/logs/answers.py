"""How the log server says that something is wrong, by its kind."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dayfly.errors import DayflyError
from dayfly.logs.intake.body import BusyError, EncodingError, TooLargeError
from dayfly.logs.query.problem import QueryError
from dayfly.logs.store.problems import BodyError, StoreFullError

RETRY_SECONDS = 1
_ANSWERED = "What is answered stands in docs/reference/logs-http.md."
_STATUS: tuple[tuple[type[DayflyError], int], ...] = (
    (QueryError, 400),
    (BodyError, 400),
    (TooLargeError, 413),
    (EncodingError, 415),
    (BusyError, 429),
    (StoreFullError, 507),
)


class WishError(DayflyError):
    """A parameter of a request is wrong."""


def status_of(error: DayflyError) -> int:
    statuses = ((WishError, 400), *_STATUS)
    return next((status for kind, status in statuses if isinstance(error, kind)), 500)


async def told(_: Request, error: Exception) -> Response:
    """What is wrong, as JSON; of a query also the column."""
    if not isinstance(error, DayflyError):
        raise error
    status = status_of(error)
    body: dict[str, object] = {"error": error.message, "hint": error.hint}
    if isinstance(error, QueryError):
        body["column"] = error.column
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == 429 else None  # noqa: PLR2004
    return JSONResponse(body, status, headers)


async def only_asked(request: Request) -> Response:
    """To whoever would make an index of what is a question."""
    path = request.url.path
    body = {"error": f"{path} answers a question", "hint": "No index may have that name."}
    return JSONResponse(body, 405)


async def not_answered(request: Request, error: Exception) -> Response:
    """There is nothing at this address, or not for this method."""
    if not isinstance(error, HTTPException):
        raise error
    asked = f"{request.method} {request.url.path}"
    body = {"error": f"{asked}: {error.detail}", "hint": _ANSWERED}
    return JSONResponse(body, error.status_code, error.headers)


async def failed(_: Request, _error: Exception) -> Response:
    """The server raises it once more, for its log."""
    body = {"error": "the log server failed", "hint": "Its own log says where and why."}
    return JSONResponse(body, 500)


async def broken_off(_: Request, _error: Exception) -> Response:
    """To a sender that went away before its body was whole; it is nobody's error to look into."""
    return Response(status_code=400)
