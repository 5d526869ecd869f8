"""A log server that feeds another receiver, and receivers that answer as they are told."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

from dayfly.clock import Stop, wait_until
from dayfly.logs.feeding.feeds import Feeds
from dayfly.logs.store.settings import Settings
from dayfly.logs.store.store import Store
from kept import QUIET

SECONDS = 30.0
Answer = tuple[int, Mapping[str, Any]]


@dataclass
class Receiver:
    """Keeps every request; `answers` says what comes back, by the request's number and body."""

    answer: Callable[[int, str, bytes], Answer]
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    port: int = 0

    def bodies(self, path: str) -> list[bytes]:
        return [body for _, asked, body in self.requests if asked.startswith(path)]


@contextmanager
def receiving(
    answer: Callable[[int, str, bytes], Answer], certificate: trustme.LeafCert | None = None
) -> Iterator[Receiver]:
    """A real HTTP server in a thread; with a certificate it speaks TLS."""
    made = Receiver(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.requests.append((self.command, self.path, body))
            made.headers.append(dict(self.headers))
            number = sum(path == self.path for _, path, _ in made.requests)
            status, said = made.answer(number, self.path, body)
            sent = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        made.port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


def describe(folder: Path, *feeds: Mapping[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "feeds.json").write_text(json.dumps(feeds))


@contextmanager
def feeding(folder: Path, settings: Settings = QUIET) -> Iterator[tuple[Store, Feeds]]:
    feeds = Feeds(folder)
    store = Store(folder / "records", settings=settings, still_needed=feeds.still_needed)
    with store, feeds.running(store):
        yield store, feeds


def wait_fed(store: Store, feeds: Feeds) -> None:
    """Until all that was taken is sent."""
    wait_until(
        lambda: all(each.position.after >= store.durable for each in feeds.feeds),
        seconds=SECONDS,
        what="all is fed on",
    )


def wait_for(condition: Callable[[], bool], what: str) -> None:
    wait_until(condition, seconds=SECONDS, what=what, stop=Stop())


def items(body: bytes) -> Sequence[tuple[dict[str, Any], dict[str, Any]]]:
    """Of a `_bulk` body: what to do, and the document."""
    lines = [json.loads(line) for line in body.splitlines() if line]
    return list(zip(lines[::2], lines[1::2], strict=True))
