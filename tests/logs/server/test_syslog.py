"""Syslog over the network; real programs send it in test_syslog_senders."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from asked import Server, serving
from dayfly.clock import wait_until
from dayfly.errors import DayflyError
from dayfly.logs.intake.listening import Syslog, bound
from dayfly.logs.intake.syslog import line_of
from dayfly.logs.store.settings import Settings
from ports import free_port


@pytest.fixture
def syslog() -> Syslog:
    return Syslog(plain=f"127.0.0.1:{free_port()}")


@pytest.fixture
def heard(tmp_path: Path, syslog: Syslog) -> Iterator[Server]:
    with serving(tmp_path / "store", syslog=syslog) as server:
        yield server


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def connected(address: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port_of(address)), timeout=10)


def wait_for(server: Server, count: int) -> None:
    until = time.monotonic() + 15
    while server.search("| count()").lines != [{"count": count}]:
        assert time.monotonic() < until, server.search("| count()").lines
        time.sleep(0.05)


def test_both_framings_and_datagrams_are_heard(heard: Server, syslog: Syslog) -> None:
    with closing(connected(syslog.plain)) as sender:
        sender.sendall(b"<11>one\n19 <11>two\nwith a tail<11>three")
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(b"<11>four\n", ("127.0.0.1", port_of(syslog.plain)))
    wait_for(heard, 4)

    found = sorted(heard.messages("level:error host:127.0.0.1 stream:syslog"))
    assert found == ["four", "one", "three", "two\nwith a tail"]


def test_a_message_that_nobody_can_read_stops_none_that_comes_later(
    heard: Server, syslog: Syslog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def read(message: bytes, *more: Any) -> bytes:  # noqa: ANN401 - those of line_of
        return line_of(message, *more) if message != b"<13>poison" else message[99].to_bytes()

    monkeypatch.setattr("dayfly.logs.intake.keeping.line_of", read)
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(b"<13>poison", ("127.0.0.1", port_of(syslog.plain)))
        wait_until(lambda: "1 datagrams are lost" in caplog.text, seconds=15, what="the defect")
        sender.sendto(b"<13>later", ("127.0.0.1", port_of(syslog.plain)))
    wait_for(heard, 1)

    assert heard.messages() == ["later"]


def test_messages_without_a_time_keep_their_order(heard: Server, syslog: Syslog) -> None:
    with closing(connected(syslog.plain)) as sender:
        sender.sendall(b"".join(b"<13>line %d\n" % number for number in range(500)))
    wait_for(heard, 500)

    found = heard.messages(order="oldest", limit=500)
    assert found == [f"line {number}" for number in range(500)]


def test_a_sender_waits_while_the_disk_is_full(
    heard: Server, syslog: Syslog, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(connected(syslog.plain)) as sender:
        with monkeypatch.context() as full:
            full.setattr("dayfly.logs.store.intake.free_bytes", lambda _: 0)
            sender.sendall(b"<13>one\n")
            time.sleep(0.5)
            sender.sendall(b"<13>two\n")
            assert heard.messages() == []
        wait_for(heard, 2)

    assert sorted(heard.messages()) == ["one", "two"]


def test_datagrams_that_find_no_room_are_dropped_and_told(
    heard: Server,
    syslog: Syslog,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("dayfly.logs.intake.datagrams.MOST_WAITING", 5)
    with monkeypatch.context() as full, socket.socket(type=socket.SOCK_DGRAM) as sender:
        full.setattr("dayfly.logs.store.intake.free_bytes", lambda _: 0)
        for number in range(12):
            sender.sendto(b"<13>line %d" % number, ("127.0.0.1", port_of(syslog.plain)))
        time.sleep(0.5)
    wait_for(heard, 5)

    assert heard.messages(order="oldest") == [f"line {number}" for number in range(5)]
    told = [record.getMessage() for record in caplog.records if record.name == "logs"]
    assert told[0].startswith("syslog waits: nothing was taken")
    assert told[-1] == "syslog: 7 datagrams found no room and were dropped"


def test_what_arrived_before_the_end_is_stored(tmp_path: Path, syslog: Syslog) -> None:
    with serving(tmp_path, syslog=syslog), closing(connected(syslog.plain)) as sender:
        sender.sendall(b"<13>last words\n<13>and a half")
        with socket.socket(type=socket.SOCK_DGRAM) as datagram:
            datagram.sendto(b"<13>a datagram", ("127.0.0.1", port_of(syslog.plain)))
        time.sleep(0.3)
    with serving(tmp_path) as server:
        assert sorted(server.messages()) == ["a datagram", "and a half", "last words"]


def test_a_full_disk_does_not_hinder_the_end(tmp_path: Path, syslog: Syslog) -> None:
    full = Settings(reserve=1 << 60)
    with serving(tmp_path, syslog=syslog, settings=full):
        with closing(connected(syslog.plain)) as sender:
            sender.sendall(b"<13>one\n")
        begun = time.monotonic()
    assert time.monotonic() - begun < 9


@pytest.fixture
def signed(tmp_path: Path) -> tuple[trustme.CA, Path, Path]:
    """Who signs, a certificate for 127.0.0.1 with its key, and who signs as a file."""
    authority, pem, signer = trustme.CA(), tmp_path / "server.pem", tmp_path / "ca.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(pem)
    authority.cert_pem.write_to_path(signer)
    return authority, pem, signer


def test_tls_with_certificates_on_both_sides(
    tmp_path: Path, signed: tuple[trustme.CA, Path, Path]
) -> None:
    authority, certificate, signer = signed
    syslog = Syslog(tls=f"127.0.0.1:{free_port()}", certificate=certificate, clients=signer)
    stranger, known = (ssl.create_default_context(cafile=str(signer)) for _ in range(2))
    authority.issue_cert("web-1").configure_cert(known)

    with serving(tmp_path / "store", syslog=syslog) as server:
        with (
            suppress(OSError),
            stranger.wrap_socket(connected(syslog.tls), server_hostname="127.0.0.1") as sender,
        ):
            sender.sendall(b"<13>a stranger's\n")
            assert sender.recv(1) == b""
        with known.wrap_socket(connected(syslog.tls), server_hostname="127.0.0.1") as sender:
            sender.sendall(b"<13>a friend's\n")
        wait_for(server, 1)
        assert server.messages() == ["a friend's"]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Syslog(plain="nowhere"), "nowhere is no address to listen on"),
        (Syslog(tls="127.0.0.1:65000"), "syslog over TLS needs a certificate"),
        (Syslog(tls="127.0.0.1:65000", certificate=Path("/none.pem")), "/none.pem: "),
        (Syslog(plain="192.0.2.1:65000"), "syslog can't be listened to at 192.0.2.1:65000"),
    ],
)
def test_a_wrong_setting_is_told_before_anything_is_served(wanted: Syslog, says: str) -> None:
    with pytest.raises(DayflyError, match=says), bound(wanted):
        pass
