"""VictoriaLogs beside us, where its program is on PATH (Go builds it from its module)."""

import http.client
import socket
import time
import urllib.parse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.memory import cpu, pss
from bench.served import answers
from dayfly.clock import wait_until
from dayfly.command import end_group, started, which

PROGRAM = "victoria-logs"
FLUSH_SECONDS, ENOUGH_SECONDS = 8.0, 3.0
BULK = "/insert/elasticsearch/_bulk?_stream_fields=app,machine&_msg_field=message&_time_field=time"
INSERT = "/insert/jsonline?_stream_fields=app,machine&_msg_field=message&_time_field=time"


@dataclass(frozen=True)
class Victoria:
    pid: int
    port: int
    folder: Path

    def post(self, path: str, body: bytes) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("POST", path, body)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise RuntimeError(f"{PROGRAM} answers {answer.status}: {data[:200]!r}")
        return data

    def insert(self, bodies: Iterable[bytes]) -> float:
        """Seconds of CPU."""
        before = cpu(self.pid)
        for body in bodies:
            self.post(INSERT, body)
        self.post("/internal/force_flush", b"")
        return cpu(self.pid) - before

    def bulk(self, bodies: Iterable[bytes]) -> float:
        """The same in Elasticsearch's protocol."""
        before = cpu(self.pid)
        for body in bodies:
            self.post(BULK, body)
        self.post("/internal/force_flush", b"")
        return cpu(self.pid) - before

    def ask(self, query: str, times: int, limit: int = 0) -> tuple[float, int]:
        """Seconds of CPU for one, and how many rows came."""
        asked = {"query": query, **({"limit": str(limit)} if limit else {})}
        body = urllib.parse.urlencode(asked).encode()
        path = f"/select/logsql/query?{body.decode()}"
        before, used, done, rows = cpu(self.pid), 0.0, 0, b""
        while done < times and used < ENOUGH_SECONDS:
            rows = self.post(path, b"")
            used, done = cpu(self.pid) - before, done + 1
        return used / done, rows.count(b"\n")

    def size(self) -> int:
        """Bytes on disk, merged; what is in memory goes there after some seconds."""
        time.sleep(FLUSH_SECONDS)
        self.post("/internal/force_merge", b"")
        time.sleep(FLUSH_SECONDS)
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def memory(self) -> float:
        return pss(self.pid)


@contextmanager
def victoria(folder: Path) -> Iterator[Victoria | None]:
    """None where there is no such program."""
    program = which(PROGRAM)
    if not program:
        yield None
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    argv = [program, f"-storageDataPath={folder}", f"-httpListenAddr=127.0.0.1:{port}"]
    argv += ["-retentionPeriod=100y", "-loggerLevel=ERROR"]
    with started(argv) as process:
        try:
            one = Victoria(process.pid, port, folder)
            wait_until(lambda: answers(port), seconds=30, what=PROGRAM)
            yield one
        finally:
            end_group(process)
