"""A machine to balance: says its name, takes its time, echoes, streams.

Arguments: its port, its name, the names of its hashed files.
"""

import base64
import hashlib
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path.startswith("/static/") and path.removeprefix("/static/") not in sys.argv[3:]:
            self._answer(404, "not here")
        elif path == "/headers":
            self._answer(200, str(self.headers))
        elif path == "/error":
            self._answer(500, "mine")
        elif path == "/events":
            self._stream("text/event-stream", 200)
        elif path == "/websocket":
            self._websocket()
        elif path == "/die":
            self.close_connection = True
        else:
            time.sleep(float(query or 0) if path.startswith(("/slow", "/static/")) else 0)
            self._answer(200, sys.argv[2])

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        if self.path == "/die":
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200, f"{sys.argv[2]} {len(body)}")

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _stream(self, kind: str, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        while True:
            self.wfile.write(f"data: {sys.argv[2]}\n\n".encode())
            self.wfile.flush()
            time.sleep(0.2)

    def _websocket(self) -> None:
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        digest = hashlib.sha1(key.encode()).digest()
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(digest).decode())
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        while data := self.connection.recv(1000):
            self.connection.sendall(sys.argv[2].encode() + b" " + data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Connections that break are what the tests are about."""


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
