"""What the balancer's tests share: a real keeper with a real HAProxy, and machines to balance."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dayfly.balancer.balancer import Balancer
from dayfly.balancer.observed import Observed
from dayfly.balancer.routing import BalancerError, Server
from dayfly.balancer.state import Listen
from dayfly.clock import wait_until
from dayfly.config.environment import Route
from ports import free_port

MACHINE = Path(__file__).parent / "machine.py"
SOURCE = Path(__file__).parents[2] / "src"


def eventually(condition: Callable[[], bool], what: str, seconds: float = 15) -> None:
    wait_until(condition, seconds=seconds, what=what)


@dataclass
class Answer:
    status: int
    body: str
    headers: dict[str, str]


@dataclass
class World:
    """A folder with its keeper, and the machines that were started."""

    home: Path
    program: str
    https: bool = False
    port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    keeper: subprocess.Popen[bytes] | None = None
    machines: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.home / "tls").mkdir(exist_ok=True)
        self.balancer = Balancer(
            self.home / "balancer",
            Listen(
                environment="0badcafe",
                http=f"127.0.0.1:{self.port}",
                https=f"127.0.0.1:{self.tls_port}" if self.https else None,
                certificates="../tls" if self.https else "",
                program=self.program,
            ),
        )
        self.balancer.open()

    def start_keeper(self) -> None:
        with (self.home / "keeper.out").open("ab") as output:
            self.keeper = subprocess.Popen(
                [sys.executable, "-m", "dayfly.balancer.keeper", str(self.home)],
                stdout=output,
                stderr=output,
                env={**os.environ, "PYTHONPATH": str(SOURCE)},
            )
        eventually(self.answers, "HAProxy answers")

    def kill_keeper(self) -> None:
        assert self.keeper
        self.keeper.kill()
        self.keeper.wait()

    def answers(self) -> bool:
        try:
            self.balancer.observed()
        except BalancerError:
            return False
        return True

    def haproxy(self) -> Observed:
        return self.balancer.observed()

    def kill_haproxy(self) -> int:
        pid = self.haproxy().pid
        os.kill(pid, signal.SIGKILL)
        return pid

    def machine(self, name: str, *, files: str = "") -> Server:
        """A running machine that says its name; `files` are the names of its hashed assets."""
        port = free_port()
        self.machines[name] = subprocess.Popen(
            [sys.executable, str(MACHINE), str(port), name, *files.split()],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(lambda: listens(port), f"{name} listens")
        return Server(name=name, address=f"127.0.0.1:{port}")

    def kill_machine(self, name: str) -> None:
        self.machines[name].kill()
        self.machines[name].wait()

    def release(
        self, number: int, *, machines: int = 1, app: str = "orders", files: str = ""
    ) -> str:
        """A fleet of fresh machines in a slot; no traffic yet."""
        servers = [
            self.machine(f"{app}-{number}-web-{each}", files=files)
            for each in range(1, machines + 1)
        ]
        return self.balancer.place(app, number, servers, path="/healthz")

    def serving(self, number: int, *, machines: int = 1, app: str = "orders") -> str:
        """A fleet that has the traffic."""
        slot = self.release(number, machines=machines, app=app)
        self.balancer.claim(app, Route())
        self.balancer.cut_over(app, slot)
        return slot

    def get(self, path: str = "/", *, method: str = "GET", host: str = "localhost") -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, headers={"Host": host})
            response = connection.getresponse()
            return Answer(response.status, response.read().decode(), dict(response.getheaders()))

    def who(self, path: str = "/", host: str = "localhost") -> str:
        """The release number of the machine that answers."""
        answer = self.get(path, host=host)
        return answer.body.split("-")[1] if answer.status == 200 else str(answer.status)

    @contextlib.contextmanager
    def connection(self, request: str) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(request.encode())
            yield connection

    def close(self) -> None:
        pid = self.haproxy().pid if self.answers() else None
        if self.keeper:
            self.keeper.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.keeper.wait(15)
            self.keeper.kill()
            self.keeper.wait()
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for machine in self.machines.values():
            machine.kill()
            machine.wait()


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def read_until(connection: socket.socket, words: bytes, seconds: float = 15) -> bytes:
    data = b""
    deadline = time.monotonic() + seconds
    while words not in data and time.monotonic() < deadline:
        more = connection.recv(65536)
        if not more:
            break
        data += more
    return data
