import re
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from breaking import CHUNKED, COUNTED, saying
from dayfly import client as clients
from dayfly.client import Client, ClientError
from fake_server import TOKEN, FakeEnvironment, routes, serving
from gateways import need_strongswan
from ports import free_port


def test_events_go_on_after_a_restart_of_the_server() -> None:
    """None is lost and none comes twice, although the server was away in between."""
    environment, port = FakeEnvironment(), free_port()
    client = Client(f"http://127.0.0.1:{port}", TOKEN)
    seen: list[int] = []
    events = client.events("/api/releases/1/events")

    def follow() -> None:
        seen.extend(event.number for event in events)

    follower = threading.Thread(target=follow)
    with serving(routes(environment), port):
        environment.happen("release.started", 1)
        follower.start()
        environment.happen("note", 1, message="one")
        time.sleep(0.3)
    environment.happen("note", 1, message="while nobody served")
    time.sleep(0.5)
    with serving(routes(environment), port):
        environment.happen("release.finished", 1, outcome="serving")
        follower.join(10)

    assert seen == [1, 2, 3, 4]


def test_a_finished_stream_is_asked_for_again_but_not_for_ever() -> None:
    environment = FakeEnvironment()
    last = environment.happen("release.finished", 1, outcome="serving")
    environment.happen("release.finished", 1, outcome="serving")
    with serving(routes(environment)) as address:
        events = Client(address, TOKEN).events("/api/releases/1/events", last.number)
        assert [event.number for event in events] == [2]


def test_a_wrong_token_is_told_at_once() -> None:
    with serving(routes(FakeEnvironment())) as address:
        client = Client(address, "another")
        with pytest.raises(ClientError, match="Not with this token") as caught:
            next(client.events("/api/events"))
        assert caught.value.status == 401


def test_a_file_is_sent_whole(tmp_path: Path) -> None:
    environment, file = FakeEnvironment(), tmp_path / "bundle"
    file.write_bytes(bytes(range(256)) * 4096)
    with serving(routes(environment)) as address:
        Client(address, TOKEN).upload("/api/sources/orders", file)

    assert environment.uploads == [file.read_bytes()]


PATIENCE = 0.5


class Fragile:
    """A server that reads an upload slowly, breaks off, and may be there again."""

    def __init__(self) -> None:
        self.port = free_port()
        self.arrived = b""

    def take(self, *, slowly: float = 0) -> None:
        """Up to its end; else for so many seconds, with nobody listening afterwards."""
        with socket.create_server(("127.0.0.1", self.port)) as listener:
            self._answer(listener, b'{"offset": %d}' % len(self.arrived))
            with listener.accept()[0] as connection:
                head = self._head(connection)
                self.arrived = self.arrived[: int(said(head, b"Upload-Offset"))]
                until = time.monotonic() + slowly
                while time.monotonic() < until:
                    self.arrived += connection.recv(1000)
                    time.sleep(0.1)
                if slowly:
                    return
                while len(self.arrived) < int(said(head, b"Upload-Length")):
                    self.arrived += connection.recv(65536)
                self._say(connection, b'{"commit": "ab"}')

    def refuse(self) -> None:
        door = socket.create_server(("127.0.0.1", self.port))
        with door as listener, listener.accept()[0] as connection:
            self._head(connection)
            connection.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")

    def _answer(self, listener: socket.socket, body: bytes) -> None:
        with listener.accept()[0] as connection:
            self._head(connection)
            self._say(connection, body)

    def _head(self, connection: socket.socket) -> bytes:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += connection.recv(1)
        return head

    def _say(self, connection: socket.socket, body: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def said(head: bytes, name: bytes) -> bytes:
    found = re.search(name + rb": (\d+)", head)
    assert found
    return found[1]


def uploaded(server: Fragile, file: Path, *served: Callable[[], None]) -> object:
    """What the server answers that is `served` so, one after the other."""

    def serve() -> None:
        for each in served:
            each()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    while True:
        try:
            return Client(f"http://127.0.0.1:{server.port}", TOKEN).upload("/api/sources/x", file)
        except ClientError as error:
            if server.arrived or "refused" not in str(error):
                raise


def test_a_long_upload_goes_on_after_a_break_and_is_given_up_when_nothing_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "PATIENCE_SECONDS", PATIENCE)
    monkeypatch.setattr(clients, "PAUSE_SECONDS", PATIENCE / 10)
    server, file = Fragile(), tmp_path / "bundle"
    file.write_bytes(bytes(range(256)) * 40_000)

    def long() -> None:
        server.take(slowly=1.5 * PATIENCE)

    def away() -> None:
        time.sleep(0.5 * PATIENCE)

    assert uploaded(server, file, long, away, long, away, server.take) == {"commit": "ab"}
    assert server.arrived == file.read_bytes()

    server.arrived = b""
    began = time.monotonic()
    with pytest.raises(ClientError, match="does not answer"):
        uploaded(server, file, long)
    assert 2.5 * PATIENCE <= time.monotonic() - began < 10 * PATIENCE


def test_an_upload_that_is_refused_after_a_break_is_told_at_once(tmp_path: Path) -> None:
    server, file = Fragile(), tmp_path / "bundle"
    file.write_bytes(bytes(range(256)) * 40_000)

    with pytest.raises(ClientError) as caught:
        uploaded(server, file, lambda: server.take(slowly=0.5), server.refuse)

    assert caught.value.status == 401


@pytest.mark.parametrize(
    "address", ["127.0.0.1:80", "ftp://host", "", "http://[::1", "http://host:99999"]
)
def test_an_address_is_one_of_http(address: str) -> None:
    with pytest.raises(ClientError, match="not the address of a server"):
        Client(address, TOKEN).get("/api/status")


def test_a_way_that_is_closed_is_told_as_that() -> None:
    """As a tunnel that is down closes it."""
    need_strongswan()  # of which only the namespaces are used
    program = """
from dayfly.client import Client, ClientError
try: Client("http://10.2.0.1:8081", "").get("/")
except ClientError as error: print(error.message, error.hint)
"""
    story = f"ip route add blackhole 10.2.0.0/16 && {shlex.join([sys.executable, '-c', program])}"
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", story],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "at http://10.2.0.1:8081 (nothing leaves for it from here)" in done.stdout, done.stderr
    assert "`dayfly tunnel status` on its gateway says why" in done.stdout


def test_something_else_at_the_address_is_told() -> None:
    with serving([]) as address, pytest.raises(ClientError, match="answered 404"):
        Client(address, TOKEN).get("/api/status")


@pytest.mark.parametrize("reads", [Client.lines, Client.pieces])
@pytest.mark.parametrize(
    "answer",
    [
        COUNTED,
        COUNTED + b"one\ntwo\n",
        CHUNKED,
        CHUNKED + b"4\r\none\n\r\n",
        CHUNKED + b"4\r\none\n\r\n8\r\ntwo\n",
        CHUNKED + b"4\r\none\n\r\n1",
    ],
)
def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(
    answer: bytes, reads: Callable[[Client, str], Iterator[object]]
) -> None:
    with saying(answer) as address:
        client = Client(address, TOKEN)
        with pytest.raises(ClientError, match="does not answer") as caught:
            list(reads(client, "/api/releases/1/vm"))

    assert caught.value.status is None


def test_lines_come_however_an_answer_is_cut() -> None:
    chunks = (b"one\ntw", b"o\r\n", b"\n", b"x" * 300_000, b"\nlast")
    sent = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in chunks)
    with saying(CHUNKED + sent + b"0\r\n\r\n", COUNTED + b"one\n\nlast\n") as address:
        cut, whole = (list(Client(address, TOKEN).lines("/search")) for _ in range(2))

    assert cut == ["one", "two", "", "x" * 300_000, "last"]
    assert whole == ["one", "", "last"]
