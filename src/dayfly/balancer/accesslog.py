"""Reads HAProxy's access log: how a fleet's requests went, in counts and percentiles."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ACCESS_LOG = "access.log"
BLOCK = 1 << 18
FLEETS_ASKED = ("serving", "warm")  # servers of the backend `assets`
_FIELDS = 18
# A websocket or an event stream; answered by the page of a closed app; its client left while it was
# held.
STREAM, CLOSED, LEFT = KINDS = ("stream", "closed", "left")
_SERVER_ERROR = 500


@dataclass(frozen=True, kw_only=True)
class Line:
    """One request. Times are milliseconds; -1 for a phase that was not reached."""

    time: int  # of its end, since the epoch
    app: str
    slot: str
    server: str
    frontend: str  # http or https
    client: str
    method: str
    status: int
    termination: str  # HAProxy's two letters: `--` is a normal end
    request_ms: int
    queue_ms: int
    connect_ms: int
    response_ms: int
    total_ms: int
    retries: int
    redispatched: bool
    size: int
    kind: str  # KINDS, or `-`
    path: str

    @property
    def stream(self) -> bool:
        return self.kind == STREAM

    @property
    def closed(self) -> bool:
        return self.kind == CLOSED

    @property
    def client_aborted(self) -> bool:
        return self.termination[0] in "Cc" or self.kind == LEFT

    @property
    def broken(self) -> bool:
        """It ended neither normally nor by the client; refusing a malformed request is normal."""
        if self.termination[0] in "-CcL":
            return False
        return self.termination[0] != "P" or self.status >= _SERVER_ERROR or self.status < 0

    @property
    def retried(self) -> bool:
        """Sent again; asking first one fleet and then the other for a file is not that."""
        return self.retries > 0 and self.server not in FLEETS_ASKED

    @property
    def lost(self) -> bool:
        """HAProxy made up the answer, or it broke off.

        Streams end in many ways and don't count, nor does what a closed app answers.
        """
        return self.broken and not (self.stream or self.closed)


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """How requests went."""

    requests: int = 0
    lost: int = 0
    aborted: int = 0  # by the client
    retried: int = 0
    errors: int = 0  # 5xx that the app itself answered
    closed: int = 0  # answered by the page of a closed app; no other figure counts them
    streams: int = 0
    streams_cut: int = 0  # streams ended by the machine's end or by us
    p50_ms: int | None = None
    p99_ms: int | None = None


def parse(text: str) -> Line | None:
    """One line of `render.LOG_FORMAT`; None for anything else, such as a torn last line."""
    words = text.rstrip("\n").split(" ", _FIELDS - 1)
    if len(words) != _FIELDS:
        return None
    time, app, slot, server, frontend, client, method, status, termination, *rest = words
    *numbers, retries, size, kind, path = rest
    try:
        request, queue, connect, response, total = map(int, numbers)
        return Line(
            time=int(time),
            app=app,
            slot=slot,
            server=server,
            frontend=frontend,
            client=client,
            method=method,
            status=int(status),
            termination=termination,
            request_ms=request,
            queue_ms=queue,
            connect_ms=connect,
            response_ms=response,
            total_ms=int(total),
            retries=int(retries.lstrip("+")),
            redispatched=retries.startswith("+"),
            size=int(size),
            kind=kind,
            path="" if path == "-" else str(json.loads(f'"{path}"')),
        )
    except ValueError:
        return None


def summary(found: Iterable[Line]) -> Traffic:
    counted = list(found)
    streams = [line for line in counted if line.stream]
    requests = [line for line in counted if not (line.stream or line.closed)]
    times = sorted(line.total_ms for line in requests if line.termination == "--")
    return Traffic(
        requests=len(requests),
        lost=sum(line.lost for line in requests),
        aborted=sum(line.client_aborted for line in requests),
        retried=sum(line.retried for line in requests),
        errors=sum(line.status >= _SERVER_ERROR and not line.broken for line in requests),
        closed=sum(line.closed for line in counted),
        streams=len(streams),
        streams_cut=sum(line.broken for line in streams),
        p50_ms=_percentile(times, 50),
        p99_ms=_percentile(times, 99),
    )


def lines(folder: Path, *, since: float) -> Iterator[Line]:
    """Newest first, back to `since`; reads no more of the log than that takes."""
    for name in (ACCESS_LOG, f"{ACCESS_LOG}.1"):
        for text in _backwards(folder / name):
            line = parse(text)
            if line and line.time < since * 1000:
                return
            if line:
                yield line


def begin_anew(path: Path, limit: int) -> None:
    """Move the log's content to `.1` when it is larger than `limit` bytes.

    HAProxy keeps the file open, so it is copied and cut; it appends, so it goes on at the start.
    What it writes in the microseconds between the two is lost to percentiles, not to counters.
    """
    if not path.exists() or path.stat().st_size <= limit:
        return
    older = path.with_name(f"{path.name}.1")
    temporary = path.with_name(f".{path.name}.tmp")
    with path.open("rb") as source, temporary.open("wb") as target:
        temporary.chmod(0o600)
        shutil.copyfileobj(source, target)
        temporary.rename(older)
        shutil.copyfileobj(source, target)
        os.truncate(path, 0)


def _backwards(path: Path) -> Iterator[str]:
    """The whole lines of a file, last one first."""
    if not path.exists():
        return
    with path.open("rb") as file:
        position = file.seek(0, os.SEEK_END)
        rest = b""
        while position:
            size = min(BLOCK, position)
            position -= size
            file.seek(position)
            rest, *whole = (file.read(size) + rest).split(b"\n")
            yield from (line.decode(errors="replace") for line in reversed(whole))
        yield rest.decode(errors="replace")


def _percentile(ordered: list[int], percent: int) -> int | None:
    """The smallest value that at least so many percent don't exceed."""
    if not ordered:
        return None
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
