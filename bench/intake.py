"""What a line costs over HTTP, as senders send it: large bodies of newline JSON, and small bulks.

The server is a process of its own, as in an environment; VictoriaLogs stands beside it, asked in
the same protocols. Lines are of today, so that no day that is over is packed meanwhile.
"""

import http.client
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import loglines
from bench.memory import cpu, peak
from bench.row import Row
from bench.victoria import Victoria
from dayfly.clock import wait_until
from dayfly.command import end_group, started
from ports import free_port

BULK = 500  # documents
TOKEN = "secret"
LINES = "/insert/jsonline?_stream_fields=app,machine&_msg_field=message&_time_field=time"
MOST = {"newline JSON": 1.25, "bulks": 2.0}
MOST_MEMORY = 2.0


@dataclass(frozen=True)
class Server:
    pid: int
    port: int

    def send(self, path: str, bodies: Iterable[bytes], kind: str) -> float:
        """Seconds of CPU; everything is on disk when it returns."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind}
        before = cpu(self.pid)
        for body in bodies:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 200 or b'"errors":true' in said:
                raise RuntimeError(f"{path} answers {answer.status}: {said[:200]!r}")
        connection.close()
        return cpu(self.pid) - before


def measure(part: str, folder: Path, lines: int, theirs: Victoria | None) -> Iterator[Row]:
    today = time.time_ns() // loglines.DAY * loglines.DAY
    bodies = list(loglines.bodies(lines, begin=today))
    with _server(folder / "lines") as ours:
        used = ours.send(LINES, bodies, "application/json")
        floor = theirs.insert(bodies) if theirs else None
        yield _row(part, "newline JSON", lines, used, floor)
        yield _memory(part, ours, theirs)
    with _server(folder / "bulks") as ours:
        used = ours.send("/_bulk", _bulks(bodies), "application/x-ndjson")
        floor = theirs.bulk(_bulks(bodies)) if theirs else None
        yield _row(part, "bulks", lines, used, floor)


def _row(part: str, what: str, lines: int, used: float, floor: float | None) -> Row:
    ratio = used / floor if floor else None
    of = f"of {loglines.BODY_LINES} lines" if what == "newline JSON" else f"of {BULK} documents"
    return Row(
        part=part,
        what=f"CPU of a line, {what} over HTTP",
        ours=used / lines * 1e6,
        unit="µs",
        floor=floor / lines * 1e6 if floor else None,
        ratio=ratio,
        bar=f"≤ {MOST[what]:g}×" if ratio else "",
        good=ratio <= MOST[what] if ratio else None,
        note=f"bodies {of}, each synced before it is answered; sealed as they come",
    )


def _memory(part: str, ours: Server, theirs: Victoria | None) -> Row:
    floor = peak(theirs.pid) if theirs else None
    taken = peak(ours.pid)
    ratio = taken / floor if floor else None
    return Row(
        part=part,
        what="peak memory while lines come",
        ours=taken,
        unit="MB",
        floor=floor,
        ratio=ratio,
        bar=f"≤ {MOST_MEMORY:g}×" if ratio else "",
        good=ratio <= MOST_MEMORY if ratio else None,
    )


def _bulks(bodies: Iterable[bytes]) -> Iterator[bytes]:
    for body in bodies:
        lines = body.splitlines()
        for begin in range(0, len(lines), BULK):
            yield b"".join(b'{"create":{}}\n%s\n' % line for line in lines[begin : begin + BULK])


@contextmanager
def _server(home: Path) -> Iterator[Server]:
    home.mkdir(parents=True)
    (home / "token").write_text(TOKEN)
    port = free_port()
    argv = [sys.executable, "-m", "dayfly.logs", str(home), f"127.0.0.1:{port}"]
    with started(argv) as process:
        try:
            server = Server(process.pid, port)
            wait_until(lambda: _answers(port), seconds=60, what="the store answers")
            yield server
        finally:
            end_group(process)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
