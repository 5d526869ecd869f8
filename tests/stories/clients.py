"""People who write and read entries all the time, through the balancer."""

import http.client
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

WRITERS, READERS = 3, 3
PAUSE_SECONDS = 0.02
PATIENCE_SECONDS = 30.0  # a held request is answered late, not never


@dataclass
class Tally:
    """What the clients saw; a maintenance page is told apart from a failure."""

    failed: list[str] = field(default_factory=list)
    written: list[int] = field(default_factory=list)  # the numbers of acknowledged entries
    read: int = 0
    closed: int = 0  # answers of the maintenance page
    slowest: float = 0.0
    by_release: Counter[str] = field(default_factory=Counter)

    def figures(self) -> dict[str, object]:
        return {
            "written": len(self.written),
            "read": self.read,
            "failed": self.failed,
            "closed": self.closed,
            "slowest_seconds": round(self.slowest, 2),
            "by_release": dict(self.by_release),
        }


@contextmanager
def clients(port: int, seed: int) -> Iterator[Tally]:
    tally, lock, over = Tally(), threading.Lock(), threading.Event()

    def client(number: int) -> None:
        chance = random.Random(f"{seed} {number}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        while not over.wait(PAUSE_SECONDS * chance.random() * 2):
            if number < WRITERS:
                _ask(connection, "POST", f"/entries?payer=p{number}", tally, lock)
            elif tally.written:
                wanted = chance.choice(tally.written[-500:])
                _ask(connection, "GET", f"/entries?id={wanted}", tally, lock)
        connection.close()

    threads = [threading.Thread(target=client, args=(n,)) for n in range(WRITERS + READERS)]
    for thread in threads:
        thread.start()
    try:
        yield tally
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    tally: Tally,
    lock: threading.Lock,
) -> None:
    began = time.monotonic()
    try:
        connection.request(method, path, headers={"Accept": "application/json"})
        answer = connection.getresponse()
        body, status = answer.read(), answer.status
    except (OSError, http.client.HTTPException) as error:
        with lock:
            tally.failed.append(f"{method} {path}: {error!r}")
        connection.close()
        return
    with lock:
        tally.slowest = max(tally.slowest, time.monotonic() - began)
        _count(tally, method, path, answer, status, body)


def _count(
    tally: Tally,
    method: str,
    path: str,
    answer: http.client.HTTPResponse,
    status: int,
    body: bytes,
) -> None:
    if status == http.client.SERVICE_UNAVAILABLE and answer.getheader("Retry-After"):
        tally.closed += 1
    elif status != http.client.OK:
        tally.failed.append(f"{method} {path}: {status} {body[:200]!r}")
    else:
        tally.by_release[answer.getheader("X-Release") or "-"] += 1
        if method == "POST":
            tally.written.append(int(json.loads(body)["id"]))
        else:
            tally.read += 1
