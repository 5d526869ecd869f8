"""The Docker Engine's API over its Unix socket: one call, one connection."""

import http.client
import io
import json
import socket
import tarfile
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dayfly.machines.machine import MachineError

SOCKET = Path("/var/run/docker.sock")
SECONDS = 60.0
NOT_MODIFIED, NOT_FOUND, CONFLICT, FAILED = 304, 404, 409, 400


class EngineError(MachineError):
    """Docker refused; `status` is that of its answer."""

    def __init__(self, message: str, *, status: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("docker", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


@dataclass(frozen=True)
class Engine:
    """Paths carry no version: the daemon answers with its newest."""

    path: Path = SOCKET

    def get(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self._call("GET", path, query))

    def post(
        self, path: str, body: object = None, *, seconds: float = SECONDS, **query: object
    ) -> Any:  # noqa: ANN401 - JSON
        answer = self._call("POST", path, query, body=body, seconds=seconds)
        return json.loads(answer) if answer.strip() else None

    def delete(self, path: str, **query: object) -> None:
        """What is not there is no error."""
        try:
            self._call("DELETE", path, query)
        except EngineError as error:
            if error.status != NOT_FOUND:
                raise

    def archive(self, container: str, path: str) -> tarfile.TarFile | None:
        """A file or folder of a container; None when it has none."""
        try:
            data = self._call("GET", f"/containers/{container}/archive", {"path": path})
        except EngineError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        return tarfile.open(fileobj=io.BytesIO(data))

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, object],
        *,
        body: object = None,
        seconds: float = SECONDS,
    ) -> bytes:
        connection = _Connection(self.path, seconds)
        try:
            connection.request(
                method,
                f"{path}?{urllib.parse.urlencode(query)}" if query else path,
                body=None if body is None else json.dumps(body),
                headers={"Content-Type": "application/json"},
            )
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(self.path, error) from error
        finally:
            connection.close()
        if answer.status >= FAILED:
            raise EngineError(f"docker: {_message(data)}", status=answer.status)
        return data


def _message(data: bytes) -> str:
    try:
        return str(json.loads(data)["message"]).strip()
    except (ValueError, KeyError, TypeError):
        return data.decode(errors="replace").strip()


def _unreachable(path: Path, error: Exception) -> EngineError:
    hint = "Is Docker running? `systemctl start docker`, or `dockerd &` without systemd."
    if isinstance(error, PermissionError):
        hint = "Add this user to the group docker, or run as root."
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return EngineError(f"Docker can't be reached at {path}: {words}", hint=hint)
