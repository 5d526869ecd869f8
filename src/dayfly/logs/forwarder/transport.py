"""How a batch gets to the store: one function that raises when it did not."""

import http.client
from collections.abc import Callable
from urllib.parse import urlsplit

from dayfly.errors import DayflyError
from dayfly.logs.forwarded import PATH

# `send(body, batch)`: what `body.body` made, and the batch's identity.
Send = Callable[[bytes, str], None]
SECONDS = 60.0
_THERE = 409  # the store has this batch already
_REFUSED = frozenset({400, 413, 415, 422})  # it will never be taken
_OK_BELOW = 300


class SendError(DayflyError):
    """The store does not have the batch, or did not say so: to be sent again."""


class RefusedError(DayflyError):
    """The store will never take this batch."""


class Http:
    """One connection to a store, kept open. For one thread."""

    def __init__(self, url: str, token: str = "", seconds: float = SECONDS) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise DayflyError(
                f"{url}: not the address of a log store",
                hint="An address looks like http://127.0.0.1:8082.",
            )
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._connection = kind(parts.hostname, parts.port, timeout=seconds)
        self._url = url
        self._base = parts.path.rstrip("/")
        self._headers = {
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "zstd",
            **({"Authorization": f"Bearer {token}"} if token else {}),
        }

    def send(self, body: bytes, batch: str) -> None:
        try:
            headers = {**self._headers, "X-Dayfly-Batch": batch}
            self._connection.request("POST", self._base + PATH, body=body, headers=headers)
            answer = self._connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise SendError(
                f"The log store does not answer at {self._url} ({error or type(error).__name__})."
            ) from error
        if answer.status < _OK_BELOW or answer.status == _THERE:
            return
        if answer.status in _REFUSED:
            raise RefusedError(f"The log store refused a batch ({answer.status}): {_text(said)}")
        raise SendError(f"The log store answered {answer.status}: {_text(said)}")

    def close(self) -> None:
        self._connection.close()


def _text(said: bytes) -> str:
    return said[:200].decode(errors="replace").strip()
