"""One HTTP connection to a receiver, kept open. For one thread."""

import http.client
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult

from dayfly.logs.feeding.entry import AgainError
from dayfly.logs.feeding.settings import Feed

SECONDS = 60.0
SHOWN = 300  # characters of an answer in a message


def trusted(feed: Feed) -> ssl.SSLContext:
    """Who may have signed the receiver's certificate; AgainError where the file is not there."""
    try:
        return ssl.create_default_context(cafile=feed.ca_file or None)
    except OSError as error:
        raise AgainError(f"{feed.ca_file}: {error.strerror or error}") from error


class Web:
    def __init__(self, feed: Feed, headers: Mapping[str, str]) -> None:
        self._feed = feed
        self._address: SplitResult = feed.address()
        self._headers = dict(headers)
        self._connection = self._connected()

    def _connected(self) -> http.client.HTTPConnection:
        host, port = self._address.hostname or "", self._address.port
        if self._address.scheme == "https":
            context = trusted(self._feed)
            return http.client.HTTPSConnection(host, port, timeout=SECONDS, context=context)
        return http.client.HTTPConnection(host, port, timeout=SECONDS)

    def ask(self, method: str, path: str, body: bytes, kind: str) -> tuple[int, bytes]:
        headers = {**self._headers, "Content-Type": kind}
        try:
            self._connection.request(method, self._address.path.rstrip("/") + path, body, headers)
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            says = str(error) or type(error).__name__
            raise AgainError(f"{self._feed.url} does not answer: {says}") from error

    def close(self) -> None:
        self._connection.close()


def shown(status: int, said: bytes) -> str:
    return f"{status}: {said.decode(errors='replace').strip()[:SHOWN]}"
