"""The application `kinds` as a plain process on a free port, without Dayfly."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from apps import KINDS
from dayfly.clock import wait_until
from ports import free_port


@dataclass(frozen=True)
class App:
    process: subprocess.Popen[bytes]
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> tuple[int, bytes, str]:
        """Status, body and the release that answered."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers["X-Release"]

    def answers(self) -> bool:
        try:
            self.get("/healthz")
        except (OSError, HTTPException):
            return False
        return True


@contextmanager
def kinds(*misbehave: str, release: str = "1", wait: bool = True) -> Iterator[App]:
    port = free_port(row=2)  # one misbehaviour takes the next
    environment = {**os.environ, "PORT": str(port), "DAYFLY_RELEASE": release, "MISBEHAVE": ""}
    program = [sys.executable, str(Path(KINDS) / "app.py"), *misbehave]
    process = subprocess.Popen(program, env=environment, stdout=subprocess.DEVNULL)
    app = App(process, port)
    try:
        if wait:
            wait_until(app.answers, seconds=10, what="the application")
        yield app
    finally:
        process.kill()
        process.wait()
