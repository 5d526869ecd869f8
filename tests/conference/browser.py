"""A strict browser: it repeats nothing and accepts no answer but the expected one."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPMessage

from conference.tally import Tally

HOST = "conference.example.org"  # pretalx answers to the name of its site only
PATIENCE_SECONDS = 30.0


class UnexpectedError(Exception):
    """Anything but the expected answer; it is counted already."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPMessage
    text: str


class Browser:
    """One connection, kept alive unless `fresh`: then there is a new one for each request."""

    def __init__(self, port: int, tally: Tally, *, fresh: bool = False) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        self._tally = tally
        self._fresh = fresh

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str, *, shows: str = "", status: int = 200, cookies: str = "") -> Answer:
        headers = {"Cookie": cookies} if cookies else {}
        return self._ask("GET", path, None, headers, status, shows)

    def post(self, path: str, body: str, headers: Mapping[str, str], *, status: int) -> Answer:
        return self._ask("POST", path, body, headers, status, "")

    def _ask(
        self,
        method: str,
        path: str,
        body: str | None,
        headers: Mapping[str, str],
        status: int,
        shows: str,
    ) -> Answer:
        began = time.monotonic()
        try:
            self._connection.request(method, path, body, {"Host": HOST, **headers})
            response = self._connection.getresponse()
            text = response.read().decode(errors="replace")
        except (OSError, HTTPException) as error:
            self._connection.close()
            self._tally.failed(f"{method} {path}: {type(error).__name__}: {error}")
            raise UnexpectedError from error
        if self._fresh:
            self._connection.close()
        if response.status != status or shows not in text:
            self._tally.failed(f"{method} {path}: {response.status}, {text[:300]!r}")
            raise UnexpectedError
        self._tally.answered(time.monotonic() - began)
        return Answer(response.status, response.headers, text)
