"""Steady traffic of several kinds that counts every failure."""

import http.client
import threading
from typing import Self

KINDS = (  # connection kept, method, seconds between two requests
    (True, "GET", 0.01),
    (False, "GET", 0.01),
    (True, "POST", 0.02),
    (True, "GET", 1.0),
)


class Load:
    def __init__(self, port: int) -> None:
        self.failures: list[str] = []
        self.answered = 0
        self._port = port
        self._over = threading.Event()
        self._counting = threading.Lock()
        self._clients = [threading.Thread(target=self._client, args=kind) for kind in KINDS]

    def _client(self, kept: bool, method: str, pause: float) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        while not self._over.wait(pause):
            self._ask(connection, method)
            if not kept:
                connection.close()
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection, method: str) -> None:
        try:
            connection.request(method, "/", body=b"x" * 2000 if method == "POST" else None)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(f"{method} {error!r}")
            connection.close()
            return
        with self._counting:
            self.answered += 1
        if answer.status != http.client.OK:
            self.failures.append(f"{method} {answer.status}")

    def __enter__(self) -> Self:
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for client in self._clients:
            client.join()
