"""Who may ask and send: whoever shows the token, in any of the ways that senders know."""

import base64
import binascii
import hmac
from collections.abc import Iterator

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dayfly.logs.intake import hec

HINT = "Show it as Bearer, as ApiKey, as Splunk, or as the password of Basic."
# Whether somebody is there, anybody may ask, as balancers do, and Docker's driver for Splunk.
OPEN = frozenset((f"{hec.COLLECTOR}/health", f"{hec.COLLECTOR}/health/1.0", "/ready"))


class Guard:
    """ASGI middleware. Without a token it lets everybody in."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chosen = self._app
        if scope["type"] == "http" and not _open(scope["method"], scope["path"]):
            headers = Headers(scope=scope)
            if not self._knows(headers):
                chosen = _refusal(scope["path"], headers.get("authorization", ""))
        await chosen(scope, receive, send)

    def _knows(self, headers: Headers) -> bool:
        shown = tokens(headers.get("authorization", ""))
        wanted = self._token.encode()
        return not wanted or any(hmac.compare_digest(one.encode(), wanted) for one in shown)


def _open(method: str, path: str) -> bool:
    return path in OPEN or (method == "OPTIONS" and path.startswith(hec.COLLECTOR))


def _refusal(path: str, authorization: str) -> Response:
    if path.startswith(hec.COLLECTOR):
        return hec.refused_token(authorization)
    error = {"error": "the token is missing or wrong", "hint": HINT}
    return JSONResponse(error, 401, {"WWW-Authenticate": 'Basic realm="logs"'})


def tokens(authorization: str) -> Iterator[str]:
    """What may be the token in a header; an ApiKey is the token itself, or base64 of `id:token`."""
    kind, _, shown = authorization.strip().partition(" ")
    shown = shown.strip()
    if kind.lower() in ("bearer", "apikey", "splunk"):
        yield shown
    if kind.lower() in ("basic", "apikey"):
        yield _decoded(shown).partition(":")[2]


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
