"""HTTP/1.1 on the wire, as odd as it may come."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, closing
from email.header import decode_header, make_header
from pathlib import Path

import pytest
import requests

from archive import MAIN, S3, Archive, accounts, archive
from dayfly.files.objects import Description
from dayfly.files.repository import Repository
from dayfly.files.s3.accounts import AccountsFile
from dayfly.files.s3.acl import canned
from dayfly.files.s3.call import call_of
from dayfly.files.s3.connection import Connection
from dayfly.files.s3.incoming import Incoming
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.request import ANYBODY, Service
from dayfly.files.s3.server import Server
from dayfly.files.s3.settings import written

http = requests.Session()
http.trust_env = False
MB = 1024**2


@pytest.fixture
def public(s3: S3, bucket: str) -> str:
    """A bucket that everybody may read and write, with an object `k`."""
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello", ACL="public-read")
    return bucket


class Wire:
    """What is sent and what comes back, byte by byte."""

    def __init__(self, served: Archive) -> None:
        self.socket = socket.create_connection(("127.0.0.1", served.port), 20)
        self.file = self.socket.makefile("rb")

    def send(self, text: str | bytes) -> None:
        self.socket.sendall(text.encode() if isinstance(text, str) else text)

    def status(self) -> int:
        """0 where the connection ends without an answer."""
        line = self.file.readline()
        return int(line.split()[1]) if line else 0

    def answer(self, *, head: bool = False) -> tuple[int, dict[str, str], bytes]:
        status, headers = self.status(), {}
        while line := self.file.readline().decode("latin-1").strip():
            name, _, value = line.partition(": ")
            headers[name] = value
        size = 0 if head or status == 100 else int(headers.get("content-length", 0))
        return status, headers, self.file.read(size)

    def close(self) -> None:
        self.file.close()
        self.socket.close()

    def ended(self) -> bool:
        return self.file.read(1) == b""


@pytest.fixture
def wires() -> Iterator[Callable[[Archive], Wire]]:
    with ExitStack() as end:
        yield lambda served: end.enter_context(closing(Wire(served)))


@pytest.fixture
def wire(served: Archive, wires: Callable[[Archive], Wire]) -> Wire:
    return wires(served)


def asked(method: str, path: str, *more: str) -> str:
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: files.test", *more, "", ""))


def test_requests_that_come_at_once_are_answered_in_order(wire: Wire, public: str) -> None:
    get, put = asked("GET", f"/{public}/k"), asked("PUT", f"/{public}/new", "Content-Length: 3")
    wire.send(
        get + asked("HEAD", f"/{public}/k") + put + "new" + asked("GET", f"/{public}/no") + get
    )

    assert wire.answer()[2] == b"hello"
    status, headers, _ = wire.answer(head=True)
    assert (status, headers["content-length"]) == (200, "5")
    assert wire.answer()[0] == 200
    assert wire.answer()[0] == 404
    assert wire.answer()[2] == b"hello"


def test_many_requests_over_one_connection(wire: Wire, public: str) -> None:
    for _ in range(300):
        wire.send(asked("GET", f"/{public}/k"))
        assert wire.answer()[2] == b"hello"


def test_a_large_file_and_a_small_one_over_one_connection(wire: Wire, s3: S3, public: str) -> None:
    body = os.urandom(9 * MB + 1)
    s3.put_object(Bucket=public, Key="large", Body=body, ACL="public-read")
    for _ in range(3):
        wire.send(asked("GET", f"/{public}/large") + asked("GET", f"/{public}/k"))
        assert wire.answer()[2] == body
        assert wire.answer()[2] == b"hello"
    wire.send(asked("GET", f"/{public}/large", "Range: bytes=5000000-8999999"))
    assert wire.answer()[2] == body[5_000_000:9_000_000]


def test_who_asks_first_is_told_to_go_on_or_why_not(
    served: Archive, wires: Callable[[Archive], Wire], public: str
) -> None:
    ask = ("Content-Length: 5", "Expect: 100-continue")
    allowed = wires(served)
    allowed.send(asked("PUT", f"/{public}/x", *ask))
    assert allowed.answer()[0] == 100
    allowed.send("12345")
    assert allowed.answer()[0] == 200
    refused = wires(served)
    refused.send(asked("PUT", "/elsewhere/x", *ask))
    status, headers, _ = refused.answer()
    assert (status, headers["connection"]) == (404, "close")
    assert refused.ended()


def test_a_refused_body_does_not_hide_the_answer(wire: Wire, public: str) -> None:
    wire.send(asked("PUT", "/elsewhere/x", f"Content-Length: {2 * MB}"))
    wire.send(bytes(2 * MB))
    assert wire.answer()[0] == 404
    wire.send(asked("GET", f"/{public}/k"))
    assert wire.answer()[2] == b"hello"


def test_a_body_of_unknown_length_is_not_taken_unsigned(wire: Wire, public: str) -> None:
    wire.send(asked("PUT", f"/{public}/x", "Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\n\r\n")

    assert wire.answer()[0] == 411


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 3\r\nContent-Length: 4",
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip, identity",
        "Content-Length: 3, 3",
        " folded: x",
        "bad\0name: x",
    ],
)
def test_what_two_servers_would_read_in_two_ways_is_refused(
    wire: Wire, public: str, head: str
) -> None:
    wire.send(
        asked("PUT", f"/{public}/x", *head.split("\r\n")) + "abcd" + asked("GET", "/secret/x")
    )

    assert wire.status() in (0, 400, 411)
    assert b"HTTP/1.1" not in wire.file.read()


def test_another_protocol_is_not_spoken(wire: Wire, public: str) -> None:
    """As Java's client asks by itself."""
    wire.send(asked("GET", f"/{public}/k", "Connection: Upgrade", "Upgrade: h2c"))

    assert wire.answer()[2] == b"hello"
    assert wire.ended()


def test_old_clients(wire: Wire, public: str) -> None:
    wire.send(f"GET /{public}/k HTTP/1.0\r\nHost: x\r\n\r\n")

    assert wire.answer()[2] == b"hello"
    assert wire.ended()


@pytest.mark.parametrize("target", ["http://files.test/{b}/k", "/{b}/%6B"])
def test_other_ways_to_write_a_target(wire: Wire, public: str, target: str) -> None:
    wire.send(asked("GET", target.format(b=public)))

    assert wire.answer()[2] == b"hello"


@pytest.mark.parametrize("target", ["/{b}/%FF", "/{b}/%C3", "*"])
def test_a_target_that_is_none(wire: Wire, public: str, target: str) -> None:
    wire.send(asked("GET", target.format(b=public)))

    assert wire.answer()[0] in (400, 403)


def test_metadata_may_be_any_text(served: Archive, public: str) -> None:
    url = f"{served.url}/{public}/meta"
    sent = http.put(
        url, data=b"1", headers={"x-amz-meta-name": "Zoë".encode(), "x-amz-acl": "public-read"}
    )

    assert sent.status_code == 200
    found = http.get(url).headers["x-amz-meta-name"]
    assert found.isascii()
    assert str(make_header(decode_header(found))) == "Zoë"


def test_a_header_of_an_answer_has_one_line(served: Archive, s3: S3, public: str) -> None:
    here = {"Bucket": public, "Key": "k", "ResponseContentType": "a\r\nset-cookie: b"}
    answer = http.get(s3.generate_presigned_url("get_object", here))

    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers


def test_what_was_begun_is_finished_when_the_server_is_told_to_end(
    tmp_path: Path, wires: Callable[[Archive], Wire]
) -> None:
    with archive(tmp_path) as served:
        s3 = served.client()
        s3.create_bucket(Bucket="bucket", ACL="public-read-write")
        wire, idle = wires(served), wires(served)
        idle.send(asked("GET", "/"))
        assert idle.answer()[0] == 200
        wire.send(asked("PUT", "/bucket/k", f"Content-Length: {3 * MB}") + "x" * MB)
        time.sleep(0.3)
        os.kill(served.pid, signal.SIGTERM)
        time.sleep(0.5)
        assert idle.ended()
        wire.send("x" * 2 * MB)
        status, headers, _ = wire.answer()
        assert (status, headers["connection"]) == (200, "close")
    assert (served.folder / "data/bucket/k").stat().st_size == 3 * MB


async def trickle(pieces: int, pause: float) -> AsyncIterator[bytes]:
    for _ in range(pieces):
        await asyncio.sleep(pause)
        yield b"x"


@pytest.mark.parametrize(
    ("pieces", "pause", "code"),
    [(5, 0.0, ""), (2, 0.5, "RequestTimeout"), (40, 0.02, "RequestTimeout")],
)
def test_a_body_that_comes_too_slowly_is_given_up(pieces: int, pause: float, code: str) -> None:
    call = call_of("PUT", "/b/k", "", {"content-length": str(pieces)}.items())

    async def taken() -> bytes:
        incoming = Incoming(trickle(pieces, pause), call, ANYBODY, patience=0.2)
        return await incoming.whole(1000)

    if not code:
        assert asyncio.run(taken()) == b"x" * pieces
        return
    with pytest.raises(S3Error) as told:
        asyncio.run(taken())
    assert told.value.code == code


def test_a_reader_that_stopped_is_given_up_and_its_file_closed(tmp_path: Path) -> None:
    """As the server does with each connection on which nothing moved for long."""
    known = tmp_path / "accounts.json"
    known.write_text(accounts(MAIN))
    repository = Repository(tmp_path / "tree", tmp_path / "index")
    repository.create_bucket("bucket", owner=MAIN.id)
    public = written(canned("public-read", MAIN.id, MAIN.id))
    with repository.stage("bucket") as staged:
        staged.write(bytes(32 * MB))
        repository.put(staged, "k", Description(acl=public))

    async def story() -> None:
        service = Service(repository=repository, known=AccountsFile(known).current)
        connections = set[Connection]()
        loop, server = asyncio.get_running_loop(), Server(service)
        listening = await loop.create_server(
            lambda: Connection(server, connections), "127.0.0.1", 0
        )
        before = open_files()
        _, writer = await asyncio.open_connection(*listening.sockets[0].getsockname(), limit=1024)
        writer.write(asked("GET", "/bucket/k").encode())
        await asyncio.sleep(0.5)
        (stopped,) = connections
        assert stopped.busy
        assert not stopped.idle(loop.time() + 60)
        assert stopped.idle(loop.time() + 301)
        stopped.close()
        await asyncio.sleep(0.1)
        writer.transport.abort()
        await asyncio.sleep(0.1)
        assert not connections
        assert open_files() == before
        listening.close()

    asyncio.run(asyncio.wait_for(story(), 20))
    repository.close()


def open_files() -> list[str]:
    found = [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    return sorted(path for path in found if "bucket" in path)
