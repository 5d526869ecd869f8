"""A ledger of entries in PostgreSQL; what each version writes and reads stands in two files of SQL.

POST /entries?payer=NAME writes one and answers its number; GET /entries?id=N reads it.
"""

import json
import os
import signal
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, SimpleQueue
from urllib.parse import parse_qs, urlsplit

import psycopg
from psycopg.rows import dict_row

HERE = Path(__file__).parent
WRITE = (HERE / "write.sql").read_text()
READ = (HERE / "read.sql").read_text()
RELEASE = os.environ.get("DAYFLY_RELEASE", "-")

_idle = SimpleQueue()


@contextmanager
def connected():
    """A session that is kept, with its statements prepared."""
    try:
        connection = _idle.get_nowait()
    except Empty:
        connection = psycopg.connect(
            os.environ["DATABASE_URL"], autocommit=True, row_factory=dict_row
        )
        connection.prepare_threshold = 1
    yield connection  # after an error it is not used again
    _idle.put(connection)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/healthz":
            self._sql("SELECT 1 AS one", {})
        elif url.path == "/entries":
            self._sql(READ, {"id": int(asked["id"])})
        else:
            self._answer(200, {"release": RELEASE})

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self._sql(WRITE, {"payer": asked.get("payer", "nobody")})

    def _sql(self, statement, values):
        try:
            with connected() as connection:
                row = connection.execute(statement, values).fetchone()
        except psycopg.Error as error:
            print(f"failed: {error}", flush=True)
            self._answer(500, {"error": str(error)})
        else:
            self._answer(200 if row else 404, row or {})

    def _answer(self, status, value):
        body = json.dumps(value, default=str).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Release", RELEASE)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    server = Server(("0.0.0.0", int(os.environ["PORT"])), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
