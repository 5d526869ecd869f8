"""The floor: what somebody with HAProxy and a shell does for a release, and nothing more."""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from dayfly.balancer.program import find_program
from dayfly.clock import wait_until
from ports import free_port

CONFIGURATION = """\
global
  stats socket {folder}/haproxy.sock mode 600 level admin
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
{usual}
frontend web
  bind 127.0.0.1:{port}
{forwarded}
  use_backend %[str(app),map({folder}/serving.map)]
backend a
{servers}
backend b
{servers}
"""
FORWARDED = """\
  http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
"""
USUAL = """\
  log fd@1 format raw local0 info
  option httplog
  option forwardfor
  retry-on conn-failure empty-response
"""  # what a HAProxy of production has: an access log, the client's address for the app, a retry
EAGER = 0.1  # seconds between two probes while nobody listens; as Dayfly does


@dataclass
class Balancer:
    """HAProxy with two backends and one map entry."""

    folder: Path
    port: int
    pid: int
    incoming: str = "b"

    def flip(self, ports: Sequence[int]) -> None:
        """The servers of the other backend, then the map entry, then a look whether it is so."""
        name, self.incoming = self.incoming, "a" if self.incoming == "b" else "b"
        for number, port in enumerate(ports):
            self.say(f"set server {name}/s{number} addr 127.0.0.1 port {port}")
            self.say(f"set server {name}/s{number} state ready")
        self.say(f"set map {self.folder}/serving.map app {name}")
        if name not in self.say(f"show map {self.folder}/serving.map").split():
            raise RuntimeError("HAProxy did not take the map entry")

    def say(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.folder / "haproxy.sock"))
            connection.sendall(f"{command}\n".encode())
            answer = b""
            while data := connection.recv(65536):
                answer += data
        return answer.decode()


@contextmanager
def balancer(folder: Path, machines: int, *, usual: bool = False) -> Iterator[Balancer]:
    folder.mkdir()
    port = free_port()
    servers = "\n".join(f"  server s{each} 127.0.0.1:1 disabled" for each in range(machines))
    (folder / "serving.map").write_text("app a\n")
    text = CONFIGURATION.format(
        folder=folder,
        port=port,
        servers=servers,
        usual=USUAL if usual else "",
        forwarded=FORWARDED if usual else "",
    )
    (folder / "haproxy.cfg").write_text(text)
    with program([find_program(None), "-db", "-f", str(folder / "haproxy.cfg")], folder) as pid:
        wait_until(lambda: listens(port), seconds=10, what="HAProxy by hand")
        yield Balancer(folder, port, pid)


@contextmanager
def program(words: Sequence[str], folder: Path) -> Iterator[int]:
    """Something that runs while the block does."""
    with (folder / "output.log").open("ab") as log:
        process = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@dataclass
class Machines:
    """Plain processes of a shell command."""

    run: str
    folder: Path
    env: Mapping[str, str]
    _started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, count: int) -> list[int]:
        """Returns their ports."""
        ports = [free_port() for _ in range(count)]
        for port in ports:
            with (self.folder.parent / f"{port}.log").open("ab") as log:
                self._started.append(
                    subprocess.Popen(
                        ["/bin/sh", "-c", self.run],
                        cwd=self.folder,
                        env={**self.env, "PORT": str(port)},
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )
                )
        return ports

    def end(self) -> None:
        for process in self._started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._started:
            process.wait(60)
        self._started.clear()


def prove_healthy(ports: Sequence[int], path: str, *, passes: int, interval: float) -> None:
    """The same policy as the app's: so many good probes in a row of every machine."""

    def one(port: int) -> None:
        good = 0
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            status = probe(port, path)
            good = good + 1 if status == 200 else 0
            if good == passes:
                return
            time.sleep(min(EAGER, interval) if status is None else interval)
        raise RuntimeError(f"port {port} never became healthy")

    with ThreadPoolExecutor(len(ports)) as pool:
        list(pool.map(one, ports))


def probe(port: int, path: str) -> int | None:
    """The status; None when nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def command(run: str, folder: Path, env: Mapping[str, str]) -> None:
    """One shell command that has to succeed."""
    subprocess.run(
        ["/bin/sh", "-c", run],
        cwd=folder,
        env=dict(env),
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
