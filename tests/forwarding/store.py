"""A small store: a batch is a file, there or not; one that comes again is compared and refused."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: Path

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:  # its sender was killed
            self.close_connection = True
            return
        batch = self.headers["X-Dayfly-Batch"]
        kept = self.folder / f"{batch}.batch"
        status = 200
        if (told := self.folder.parent / "answer").exists():
            status = int(told.read_text())
        elif kept.exists():
            status = 409
            if kept.read_bytes() != body:
                (self.folder.parent / "differs").write_text(batch)
        else:
            temporary = kept.with_suffix(".tmp")
            temporary.write_bytes(body)
            temporary.rename(kept)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its base has it
        pass


if __name__ == "__main__":
    Handler.folder = Path(sys.argv[1])
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler).serve_forever()
