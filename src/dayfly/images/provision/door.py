"""A door to one container: who may not talk to docker can run commands there, and only there.

A playbook is code of whoever may push; docker's socket would make it root of this host.
"""

import json
import os
import socketserver
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dayfly.command import Setting, run
from dayfly.config.inherited import inherited_with
from dayfly.images.provision.scaffold import Scaffold

_LARGEST = 64 * 1024 * 1024  # bytes of a header line; modules of Ansible are a megabyte at most
_REDIRECTED = 'cd "$0" && exec "$@" <in >out 2>err'


class _Door(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, path: Path, inner: "_Inner") -> None:
        self.inner = inner
        super().__init__(str(path), _Guest)

    def handle_error(self, request: object, client_address: object) -> None:
        """The guest has gone, or the build ends: nobody waits for the answer."""


class _Guest(socketserver.StreamRequestHandler):
    server: _Door

    def handle(self) -> None:
        wanted = json.loads(self.rfile.readline(_LARGEST))
        status, out, err = self.server.inner(wanted["command"], self.rfile.read(wanted["bytes"]))
        told = {"status": status, "out": len(out), "err": len(err)}
        self.wfile.write(json.dumps(told).encode() + b"\n" + out + err)


class _Inner:
    """Runs commands in the container; their data passes through files that are ours."""

    def __init__(self, scaffold: Scaffold, place: Path) -> None:
        self.scaffold, self.place = scaffold, place

    def __call__(self, command: str, data: bytes) -> tuple[int, bytes, bytes]:
        with tempfile.TemporaryDirectory(dir=self.place) as name:
            folder = Path(name)
            (folder / "in").write_bytes(data)
            status = self._run(["sh", "-c", _REDIRECTED, name], command)
            return status, (folder / "out").read_bytes(), (folder / "err").read_bytes()

    def _run(self, redirected: Sequence[str], command: str) -> int:
        env = self.scaffold.environment
        argv = [*redirected, *self.scaffold.argv(env), "/bin/sh", "-c", command]
        stop, left = self.scaffold.builders.stop, self.scaffold.left
        setting = Setting(env=inherited_with(**env))
        return run(argv, setting=setting, stop=stop, seconds=left, check=False).status


@contextmanager
def door(scaffold: Scaffold, uid: int | None) -> Iterator[Path]:
    """A socket that only `uid` may use. Its path is short, as paths of sockets have to be."""
    with (
        tempfile.TemporaryDirectory(prefix="dayfly-door-") as outside,
        tempfile.TemporaryDirectory(prefix="dayfly-door-") as place,
    ):
        at = Path(outside, "door")
        server = _Door(at, _Inner(scaffold, Path(place)))
        at.chmod(0o600)
        if uid is not None:
            os.chown(at, uid, uid)
            Path(outside).chmod(0o711)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
        thread.start()
        try:
            yield at
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
