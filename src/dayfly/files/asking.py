"""One request to a server that is not ours, through whatever redirects and proxies there are."""

import http.client
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from typing import IO, Any, cast
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from dayfly.errors import DayflyError, UsageError

ANSWER_SECONDS = 60.0  # without a byte
_SECRET = re.compile(
    r"signature|token|secret|password|credential|api_?key|accesskey|^sig$|^key$", re.IGNORECASE
)
_MOVED = (301, 302, 303, 307, 308)
_OURS = {"user-agent": "dayfly", "accept-encoding": "identity"}


class FetchError(DayflyError):
    """What lies at a URL can't be had."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Ten at most; never from TLS to a line that anybody reads."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise FetchError(
                f"{shown(req.full_url)}: sends on to {shown(newurl)}, which is not encrypted",
                hint="Name that URL, if you trust the line to it.",
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


class _AnyStatus(urllib.request.HTTPErrorProcessor):
    """An answer that says no is an answer."""

    def http_response(self, request: urllib.request.Request, response: Any) -> Any:  # noqa: ANN401 - as urllib has it
        if response.status in _MOVED:
            return super().http_response(request, response)
        return response

    https_response = http_response


def check(url: str) -> None:
    """UsageError where nothing can be fetched from there."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{shown(url)}: is no URL", hint="Allowed are http://… and https://…")
    if parts.username is not None:
        raise UsageError(
            f"{shown(url)}: a URL with a password would be kept with the object",
            hint="Fetch it with another program, and store it with `dayfly files put -`.",
        )


def shown(url: str) -> str:
    """As it may be kept and told: without passwords, and without what signs a query."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if any(_SECRET.search(name) for name, _ in pairs):
        told = [(name, "***" if _SECRET.search(name) else value) for name, value in pairs]
        parts = parts._replace(query=urlencode(told, safe="*"))
    netloc = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=netloc, fragment="").geturl()


def tail_of(url: str) -> str:
    """The name at the end of its path."""
    return unquote(urlsplit(url).path).rpartition("/")[2]


def ask(url: str, headers: Mapping[str, str]) -> tuple[http.client.HTTPResponse | None, str]:
    """An answer of whatever status; None and why where there was none, and the next may succeed."""
    handlers = (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        _AnyStatus(),
        _Redirects(),
    )
    opener = urllib.request.OpenerDirector()
    for each in handlers:
        opener.add_handler(each)
    request = urllib.request.Request(url, headers={**_OURS, **headers})  # noqa: S310 - see `check`
    try:
        return cast("http.client.HTTPResponse", opener.open(request, timeout=ANSWER_SECONDS)), ""
    except urllib.error.HTTPError as error:  # of a redirect
        raise FetchError(f"{shown(url)}: {error.msg}") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise _untrusted(url, error.reason) from error
        return None, str(error.reason)
    except (OSError, http.client.HTTPException) as error:
        return None, str(error) or type(error).__name__


def _untrusted(url: str, error: ssl.SSLCertVerificationError) -> FetchError:
    return FetchError(
        f"{shown(url)}: its certificate is not trusted: {error.verify_message}",
        hint="SSL_CERT_FILE names a file with the authorities that you trust.",
    )
