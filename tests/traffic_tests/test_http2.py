"""HTTP/2: a stream that fails is found; one the server never touched may be asked again."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable

import h2.config
import h2.connection
import h2.errors
import h2.events
import pytest

import traffic
from planted import Certificate, Handler, Planted
from traffic import Kind, Plan, Tally

H2 = Kind(name="h2", clients=3, rate=60)
Answering = Callable[["Peer", int, dict[str, str]], None]


class Peer:
    """The server's side of one connection."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
        self.h2 = h2.connection.H2Connection(config)
        self.bodies: dict[int, bytes] = {}
        self.heads: dict[int, dict[str, str]] = {}

    async def serve(self, answering: Answering) -> None:
        self.h2.initiate_connection()
        self.flush()
        while not self.writer.is_closing() and (data := await self.reader.read(65536)):
            for event in self.h2.receive_data(data):
                self.take(event, answering)
            self.flush()

    def take(self, event: h2.events.Event, answering: Answering) -> None:
        match event:
            case h2.events.RequestReceived():
                self.heads[event.stream_id] = {str(n): str(v) for n, v in event.headers}
                self.bodies[event.stream_id] = b""
            case h2.events.DataReceived():
                self.bodies[event.stream_id] += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case h2.events.StreamEnded():
                answering(self, event.stream_id, self.heads[event.stream_id])

    def flush(self) -> None:
        self.writer.write(self.h2.data_to_send())

    def answer(self, stream: int, head: dict[str, str], cut: int = 0) -> None:
        said = self.bodies[stream] or head[":path"].partition("say=")[2].encode()
        length = ("content-length", str(len(said)))
        self.h2.send_headers(stream, [(":status", "200"), length, ("x-release", "3")])
        self.h2.send_data(stream, said[: len(said) - cut], end_stream=True)


def server(answering: Answering) -> Handler:
    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        await Peer(reader, writer).serve(answering)

    return handler


def tally_of(planted: Planted, certificate: Certificate, handler: Handler, **more: int) -> Tally:
    address = planted(handler, certificate.context("h2"))
    plan = {"target": address, "ca": certificate.ca, "kinds": (H2,), "timeout": 0.5, "seconds": 5}
    return traffic.run(Plan(**{**plan, "limit": 12, **more}))  # type: ignore[arg-type]


def right(peer: Peer, stream: int, head: dict[str, str]) -> None:
    peer.answer(stream, head)


def cut(peer: Peer, stream: int, head: dict[str, str]) -> None:
    peer.h2.send_headers(stream, [(":status", "200"), ("content-length", "500")])
    peer.h2.end_stream(stream)


def reset(peer: Peer, stream: int, head: dict[str, str]) -> None:
    peer.h2.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)


def hang_up(peer: Peer, stream: int, head: dict[str, str]) -> None:
    peer.writer.close()


def say_nothing(peer: Peer, stream: int, head: dict[str, str]) -> None:
    pass


def answer_503(peer: Peer, stream: int, head: dict[str, str]) -> None:
    peer.h2.send_headers(stream, [(":status", "503")], end_stream=True)


def go_away_and_drop_it(peer: Peer, stream: int, head: dict[str, str]) -> None:
    """Names the stream as one it will answer, and does not."""
    peer.h2.close_connection(last_stream_id=stream)
    peer.flush()
    peer.writer.close()


# The kernel resets a connection that is closed with something unread in it.
CLOSED = {"closed without an answer", "reset"}


def test_streams_side_by_side_are_answered(planted: Planted, certificate: Certificate) -> None:
    tally = tally_of(planted, certificate, server(right), limit=60)

    assert (tally.failed, tally.ok) == (0, tally.sent)
    assert tally.releases == {"3": tally.ok}


@pytest.mark.parametrize(
    ("flaw", "what"),
    [
        (reset, {"stream reset: 2"}),
        (hang_up, CLOSED),
        (say_nothing, {"timeout"}),
        (answer_503, {"status 503"}),
        (go_away_and_drop_it, CLOSED),
    ],
)
def test_each_flaw_is_found_and_named(
    planted: Planted, certificate: Certificate, flaw: Answering, what: set[str]
) -> None:
    tally = tally_of(planted, certificate, server(flaw))

    assert {failure.what for failure in tally.failures} <= what
    assert (tally.ok, tally.failed) == (0, tally.sent)


def test_a_body_shorter_than_announced_is_found(planted: Planted, certificate: Certificate) -> None:
    tally = tally_of(planted, certificate, server(cut))

    assert tally.failed == tally.sent
    assert all("truncated" in f.what or "HTTP/2" in f.what for f in tally.failures)


def test_streams_above_the_last_one_of_a_goaway_are_asked_again(
    planted: Planted, certificate: Certificate
) -> None:
    """The stream it names is still answered after the GOAWAY; the later one was never touched."""
    connections = []

    async def goes_away(reader: StreamReader, writer: StreamWriter) -> None:
        connections.append(writer)
        first_connection = len(connections) == 1
        held: list[tuple[int, dict[str, str]]] = []

        def answering(peer: Peer, stream: int, head: dict[str, str]) -> None:
            if not first_connection:
                peer.answer(stream, head)
                return
            held.append((stream, head))
            if len(held) == 2:
                writer.write(goaway(held[0][0]))
                peer.answer(*held[0])

        await Peer(reader, writer).serve(answering)

    tally = tally_of(planted, certificate, goes_away, limit=40)

    assert tally.of("h2").retried >= 1
    assert (tally.failed, tally.ok) == (0, tally.sent)


def goaway(last: int) -> bytes:
    return b"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + last.to_bytes(4, "big") + bytes(4)


def test_a_connection_closed_while_nothing_is_asked_is_counted_apart(
    planted: Planted, certificate: Certificate
) -> None:
    async def closes_when_idle(reader: StreamReader, writer: StreamWriter) -> None:
        peer = Peer(reader, writer)
        serving = asyncio.ensure_future(peer.serve(right))
        await asyncio.sleep(0.2)
        serving.cancel()

    lonely = Kind(name="h2", clients=1, rate=2)
    tally = tally_of(planted, certificate, closes_when_idle, limit=4, kinds=(lonely,))  # type: ignore[arg-type]

    assert tally.failed == 0
    assert tally.of("h2").reconnects >= 1


def test_a_server_without_http2_is_a_failure(planted: Planted, certificate: Certificate) -> None:
    address = planted(server(right), certificate.context("something-else"))

    tally = traffic.run(
        Plan(target=address, ca=certificate.ca, kinds=(H2,), limit=3, seconds=3, timeout=0.5)
    )

    assert tally.failed == tally.sent
    assert {f.what for f in tally.failures} == {"ALPN: None instead of h2"}
