"""A client that can't fail is worthless: each planted flaw of an HTTP server is found and named."""

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter

import pytest

import traffic
from planted import Handler, Planted
from traffic import Kind, Plan, Tally

ONCE = {"get": Kind(name="get", rate=50), "post": Kind(name="post", rate=50)}


def short(address: str, *kinds: Kind, limit: int = 6) -> Tally:
    plan = Plan(
        target=address,
        kinds=kinds,
        limit=limit,
        seconds=8,
        timeout=0.5,
        idle=(0.3, 0.4),
        upload=0.5,
    )
    return traffic.run(plan)


async def read_request(reader: StreamReader) -> tuple[str, bytes]:
    """The path and the body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = 0
    for line in head.split("\r\n"):
        if line.lower().startswith("content-length:"):
            length = int(line.split(":")[1])
    return head.split(" ")[1], await reader.readexactly(length)


def right_answer(path: str, body: bytes) -> bytes:
    said = body or path.partition("say=")[2].encode()
    return b"HTTP/1.1 200 OK\r\nX-Release: 3\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said)


def reset(writer: StreamWriter) -> None:
    plain = writer.get_extra_info("socket")
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def resets(reader: StreamReader, writer: StreamWriter) -> None:
    await read_request(reader)
    reset(writer)


async def closes(reader: StreamReader, writer: StreamWriter) -> None:
    await read_request(reader)


async def truncates(reader: StreamReader, writer: StreamWriter) -> None:
    writer.write(right_answer(*await read_request(reader))[:-2])


async def truncates_the_head(reader: StreamReader, writer: StreamWriter) -> None:
    writer.write(right_answer(*await read_request(reader))[:20])


async def sends_no_body(reader: StreamReader, writer: StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")


async def truncates_chunks(reader: StreamReader, writer: StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")


async def answers_502(reader: StreamReader, writer: StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")


async def mixes_up_clients(reader: StreamReader, writer: StreamWriter) -> None:
    await read_request(reader)
    writer.write(right_answer("/echo?say=for-somebody-else", b""))


async def says_nothing(reader: StreamReader, writer: StreamWriter) -> None:
    await asyncio.sleep(60)


async def talks_nonsense(reader: StreamReader, writer: StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"220 mail.example.com ESMTP\r\n\r\n")


async def stalls_within_the_body(reader: StreamReader, writer: StreamWriter) -> None:
    writer.write(right_answer(*await read_request(reader))[:-2])
    await asyncio.sleep(60)


FLAWS = [
    (resets, "reset"),
    (closes, "closed without an answer"),
    (truncates, "truncated"),
    (truncates_the_head, "truncated"),
    (sends_no_body, "truncated"),
    (truncates_chunks, "truncated"),
    (answers_502, "status 502"),
    (mixes_up_clients, "wrong body"),
    (says_nothing, "timeout"),
    (stalls_within_the_body, "timeout"),
    (talks_nonsense, "not HTTP: 220 mail.example.com ESMTP"),
]


@pytest.mark.parametrize("kind", ["get", "post"])
@pytest.mark.parametrize(("flaw", "what"), FLAWS, ids=lambda value: getattr(value, "__name__", ""))
def test_each_flaw_is_found_and_named(
    planted: Planted, flaw: Handler, what: str, kind: str
) -> None:
    tally = short(planted(flaw), ONCE[kind])

    assert {failure.what for failure in tally.failures} == {what}
    assert (tally.sent, tally.failed, tally.ok) == (6, 6, 0)


def test_a_server_that_is_not_there_refuses() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"

        tally = short(address, ONCE["get"])

    assert [failure.what for failure in tally.failures] == ["refused"] * 6


def test_one_flaw_among_many_right_answers_is_counted_once(planted: Planted) -> None:
    """The first failure says when it was, of which kind, and which release answered."""
    answered = []

    async def wrong_once(reader: StreamReader, writer: StreamWriter) -> None:
        answered.append(1)
        answer = right_answer(*await read_request(reader))
        writer.write(answer if len(answered) != 4 else answer[:-1])

    tally = short(planted(wrong_once), ONCE["get"])

    assert (tally.ok, tally.failed) == (5, 1)
    (failure,) = tally.failures
    assert (failure.kind, failure.what, failure.release) == ("get", "truncated", "3")
    assert tally.started < failure.time < tally.started + tally.seconds
    assert tally.releases == {"3": 5}


def test_a_post_that_failed_is_uncertain_and_never_sent_again(planted: Planted) -> None:
    """Whoever compares with the database knows which references may be there or not."""
    bodies = []

    async def resets_every_second(reader: StreamReader, writer: StreamWriter) -> None:
        path, body = await read_request(reader)
        bodies.append(body.split()[0].decode())
        if len(bodies) % 2:
            writer.write(right_answer(path, body))
        else:
            reset(writer)

    tally = short(planted(resets_every_second), ONCE["post"])

    assert len(set(bodies)) == 6
    assert sorted(tally.created) == sorted(bodies[::2])
    assert sorted(tally.uncertain) == sorted(bodies[1::2])


def test_an_idle_connection_closed_in_silence_is_reconnected_and_counted_apart(
    planted: Planted,
) -> None:
    async def closes_when_idle(reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(right_answer(*await read_request(reader)))
        await writer.drain()
        await asyncio.sleep(0.1)

    tally = short(planted(closes_when_idle), Kind(name="idle", clients=2))

    assert tally.failed == 0
    assert tally.of("idle").reconnects >= 2


def test_an_idle_connection_reset_in_silence_is_counted_apart_too(planted: Planted) -> None:
    async def resets_when_idle(reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(right_answer(*await read_request(reader)))
        await writer.drain()
        await asyncio.sleep(0.1)
        reset(writer)

    tally = short(planted(resets_when_idle), Kind(name="idle", clients=2))

    assert tally.failed == 0
    assert tally.of("idle").reconnects >= 2


@pytest.mark.parametrize("kind", [Kind(name="idle", clients=2), Kind(name="keepalive", rate=20)])
def test_a_kept_connection_closed_on_the_next_request_is_a_failure(
    planted: Planted, kind: Kind
) -> None:
    async def closes_on_the_second(reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(right_answer(*await read_request(reader)))
        await writer.drain()
        await read_request(reader)

    tally = short(planted(closes_on_the_second), kind)

    assert tally.failed in (2, 3)  # the last one may just have opened a new connection
    assert {failure.what for failure in tally.failures} == {"closed without an answer"}
    assert tally.of(kind.name).reconnects == 0


def test_an_upload_that_is_cut_is_found(planted: Planted) -> None:
    async def cuts(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readexactly(60_000)
        reset(writer)

    tally = short(planted(cuts), Kind(name="upload", clients=2), limit=2)

    assert [failure.what for failure in tally.failures] == ["reset"] * 2
