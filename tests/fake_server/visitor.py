"""A browser as far as HTTP goes."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Visitor:
    address: str
    headers: Mapping[str, str]

    def get(self, path: str, **headers: str) -> tuple[http.client.HTTPResponse, str]:
        connection = http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=10)
        connection.request("GET", path, headers={**self.headers, **headers})
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer, body
