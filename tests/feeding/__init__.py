"""A server of files as others have it: ranges, ETags, redirects, and lines that break."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext


@dataclass
class Feed:
    """What lies at `/PATH`, and what happens to those who ask for it."""

    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # ETag and bytes
    moved: dict[str, str] = field(default_factory=dict)
    breaks: list[int] = field(default_factory=list)  # after so many bytes, one a request
    refuses: list[int] = field(default_factory=list)  # statuses, one a request
    ranges: bool = True
    heeds: bool = True  # what If-Range asks
    says_etag: bool = True  # also with a part
    says_size: bool = True  # of the whole, with a part
    dated: bool = False  # a Last-Modified, the same of every state
    changes: list[dict[str, tuple[str, bytes]]] = field(default_factory=list)  # one a request
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""


@contextmanager
def feeding(tls: SSLContext | None = None) -> Iterator[Feed]:
    feed = Feed()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            _answer(feed, self)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the library's name
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    feed.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield feed
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(feed: Feed, to: BaseHTTPRequestHandler) -> None:
    path = to.path.partition("?")[0]
    headers = {name.lower(): value for name, value in to.headers.items()}
    feed.asked.append((path, headers))
    if feed.changes:
        feed.files.update(feed.changes.pop(0))
    if feed.refuses:
        _empty(to, feed.refuses.pop(0))
    elif path in feed.moved:
        _empty(to, 302, location=feed.moved[path])
    elif path not in feed.files:
        _empty(to, 404)
    elif headers.get("if-none-match") == feed.files[path][0]:
        _empty(to, 304)
    else:
        _body(feed, to, headers, *feed.files[path])


def _body(
    feed: Feed, to: BaseHTTPRequestHandler, headers: dict[str, str], etag: str, whole: bytes
) -> None:
    start = 0
    same = not feed.heeds or headers.get("if-range", etag) == etag
    if feed.ranges and "range" in headers and same:
        start = int(headers["range"].removeprefix("bytes=").rstrip("-"))
    if start >= len(whole) > 0 and start:
        _empty(to, 416, content_range=f"bytes */{len(whole)}")
        return
    to.send_response(206 if start else 200)
    if start:
        size = len(whole) if feed.says_size else "*"
        to.send_header("content-range", f"bytes {start}-{len(whole) - 1}/{size}")
    if feed.dated:
        to.send_header("last-modified", "Fri, 27 Nov 2026 10:00:00 GMT")
    if etag and (feed.says_etag or not start):
        to.send_header("etag", etag)
    to.send_header("content-type", "text/csv")
    to.send_header("content-length", str(len(whole) - start))
    to.end_headers()
    most = feed.breaks.pop(0) if feed.breaks else len(whole)
    to.wfile.write(whole[start : start + most])
    if start + most < len(whole):
        to.close_connection = True


def _empty(to: BaseHTTPRequestHandler, status: int, **headers: str) -> None:
    to.send_response(status)
    for name, value in headers.items():
        to.send_header(name.replace("_", "-"), value)
    if status != 304:
        to.send_header("content-length", "0")
    to.end_headers()
