"""A browser that overlooked something would make every acceptance test worthless."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from conference.browser import Browser, UnexpectedError
from conference.tally import Tally


class _Site(BaseHTTPRequestHandler):
    """Answers as its paths say."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/gone":
            self.close_connection = True
            return
        self.send_response(502 if self.path == "/bad" else 200)
        self.send_header("Content-Length", "100" if self.path == "/short" else "7")
        self.end_headers()
        self.wfile.write(b"welcome")
        self.close_connection = self.path == "/short"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "shows", "told"),
    [
        ("/gone", "", "RemoteDisconnected"),
        ("/short", "", "IncompleteRead"),
        ("/bad", "", "502"),
        ("/good", "Talk number 1", "200, 'welcome'"),
    ],
)
def test_anything_but_the_expected_answer_is_a_failure(
    port: int, path: str, shows: str, told: str
) -> None:
    tally = Tally()
    browser = Browser(port, tally)
    browser.get("/good", shows="welcome")

    with suppress(UnexpectedError):
        browser.get(path, shows=shows)
    browser.close()

    (failure,) = tally.failures
    assert told in failure
    assert tally.figures()["requests"] == 2
