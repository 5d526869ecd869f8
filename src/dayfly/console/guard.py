"""Stands before every page: the right host, a session, and headers that hold the browser back."""

from collections.abc import Collection
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dayfly.console.session import Sessions

POLICY = (  # of answers that have none of their own
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """ASGI middleware. `refusal` answers whoever has no session; None lets everybody in."""

    def __init__(
        self, app: ASGIApp, *, sessions: Sessions, hosts: Collection[str], refusal: ASGIApp | None
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._hosts = hosts
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chosen = self._chosen(Headers(scope=scope))

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", POLICY)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await chosen(scope, receive, send_guarded)

    def _chosen(self, headers: Headers) -> ASGIApp:
        if _host(headers.get("host", "")) not in self._hosts:
            return PlainTextResponse("This console does not answer to that name.\n", 421)
        if self._refusal and not self._sessions.knows(_cookie(headers, self._sessions.cookie)):
            return self._refusal
        return self._app


def _host(header: str) -> str:
    """`[::1]:8081` → `::1`, `localhost:8081` → `localhost`."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def _cookie(headers: Headers, name: str) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""
