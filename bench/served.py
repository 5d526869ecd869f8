"""The archive, and nginx with WebDAV beside it, which neither hashes, syncs nor checks anybody."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.wire import KEY, SECRET
from dayfly.clock import wait_until
from dayfly.command import end_group, started, which
from dayfly.machines import proc
from ports import free_port

NGINX = "nginx"
WORKERS = 2
OWNER = "bench"
CONFIGURATION = """\
{user}
daemon off;
worker_processes {workers};
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  keepalive_requests 1000000;
  client_max_body_size 0;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    root {folder}/files;
    dav_methods PUT DELETE;
    create_full_put_path on;
  }}
}}
"""


@dataclass(frozen=True)
class Served:
    """Something that listens; `pid` is of the process that started its workers."""

    port: int
    pid: int
    files: Path  # the folder with what it serves

    @property
    def pids(self) -> tuple[int, ...]:
        return proc.descendants(self.pid, proc.facts())

    def cpu(self) -> float:
        """Seconds of all its processes."""
        return proc.cpu_of(self.pids)

    def memory(self) -> float:
        """MB of all its processes; what the kernel keeps of files is not theirs."""
        return proc.memory_of(self.pids) / 2**20


@contextmanager
def archive(folder: Path) -> Iterator[Served]:
    """`folder/archive` is its tree, with the index inside."""
    key = {"access_key_id": KEY, "secret_access_key": SECRET}
    accounts = folder / "accounts.json"
    accounts.write_text(json.dumps({"accounts": [{"id": OWNER, "keys": [key]}]}))
    tree, port = folder / "archive", free_port()
    argv = [sys.executable, "-m", "dayfly.files", str(tree), f"--listen=127.0.0.1:{port}"]
    argv += [f"--workers={WORKERS}", f"--accounts={accounts}"]
    with _listening(argv, port) as pid:
        yield Served(port, pid, tree / "data")


@contextmanager
def nginx(folder: Path) -> Iterator[Served | None]:
    """None where there is no such program."""
    program = which(NGINX)
    if not program:
        yield None
        return
    port = free_port()
    (folder / "files").mkdir(parents=True)
    user = "user root;" if os.geteuid() == 0 else ""
    told = CONFIGURATION.format(folder=folder, port=port, workers=WORKERS, user=user)
    (folder / "nginx.conf").write_text(told)
    with _listening([program, "-p", str(folder), "-c", str(folder / "nginx.conf")], port) as pid:
        yield Served(port, pid, folder / "files")


@contextmanager
def _listening(argv: list[str], port: int) -> Iterator[int]:
    with started(argv) as process:
        try:
            wait_until(lambda: answers(port), seconds=30, what=argv[0])
            yield process.pid
        finally:
            end_group(process)


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
