"""Who may ask and send: whoever shows a token, in any of the ways that senders know."""

import base64
import binascii
import hmac
from collections.abc import Iterator, Sequence
from typing import Literal

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from dayfly.logs.intake import hec
from dayfly.logs.tokens import Tokens

HINT = "Show it as Bearer, as ApiKey, as Splunk, or as the password of Basic."
SENDS = "This token may send records; with another one, that of the environment, one may ask."
# Whether somebody is there, anybody may ask, as balancers do, and Docker's driver for Splunk.
OPEN = frozenset((f"{hec.COLLECTOR}/health", f"{hec.COLLECTOR}/health/1.0", "/ready"))
Right = Literal["all", "send", "none"]


class Guard:
    """ASGI middleware. Without a token it lets everybody in.

    Who shows one of `senders` may do all but what `questions` answer.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str,
        senders: Tokens | None = None,
        questions: Sequence[BaseRoute] = (),
    ) -> None:
        self._app = app
        self._token = token
        self._senders = senders
        self._questions = questions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chosen = self._app
        if scope["type"] == "http" and not _open(scope["method"], scope["path"]):
            chosen = self._refusal(scope) or self._app
        await chosen(scope, receive, send)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        right = self._right(headers)
        if right == "none":
            return _refusal(scope["path"], headers.get("authorization", ""))
        if right == "send" and self._asks(scope):
            return JSONResponse({"error": "this token may not ask", "hint": SENDS}, 403)
        return None

    def _right(self, headers: Headers) -> Right:
        shown = list(tokens(headers.get("authorization", "")))
        wanted = self._token.encode()
        if not wanted or any(hmac.compare_digest(one.encode(), wanted) for one in shown):
            return "all"
        senders = self._senders
        return "send" if senders and any(map(senders.knows, shown)) else "none"

    def _asks(self, scope: Scope) -> bool:
        """Whatever the method: what only a question has a path for is one."""
        return any(route.matches(scope)[0] is not Match.NONE for route in self._questions)


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
