"""A browser as far as HTTP goes."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True)
class Visitor:
    address: str
    headers: Mapping[str, str]

    def get(self, path: str, **headers: str) -> tuple[http.client.HTTPResponse, str]:
        return self._ask("GET", path, headers)

    def post(self, path: str, **form: str) -> tuple[http.client.HTTPResponse, str]:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, kind, urlencode(form))

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str], body: str | None = None
    ) -> tuple[http.client.HTTPResponse, str]:
        connection = http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=10)
        connection.request(method, path, body, headers={**self.headers, **headers})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer, body
