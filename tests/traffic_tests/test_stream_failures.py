"""Websockets and event streams: who hung up, how, and was it allowed."""

import asyncio
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable

import pytest
from websockets.asyncio.server import ServerConnection, serve

import traffic
from planted import Handler, Planted
from traffic import Kind, Plan, Tally

Talk = Callable[[ServerConnection], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\nX-Release: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENTS = Kind(name="events")
WEBSOCKET = Kind(name="websocket")


def plan(address: str, kind: Kind, *, seconds: float = 0.7, budget: float = 60) -> Plan:
    return Plan(
        target=address,
        kinds=(kind,),
        seconds=seconds,
        timeout=0.4,
        stream_budget=budget,
        hold=(5, 5),
    )


def with_marks(plan: Plan, *marks: float) -> Tally:
    """Run it and tell of a cutover at these seconds."""
    started = time.monotonic()
    with traffic.steady(plan) as load:
        for mark in marks:
            time.sleep(max(started + mark - time.monotonic(), 0))
            load.mark()
        return load.finish()


async def send_events(reader: StreamReader, writer: StreamWriter, numbers: list[int]) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(HEAD)
    for number in numbers:
        event = b"id: %d\ndata: x\n\n" % number
        writer.write(b"%x\r\n%b\r\n" % (len(event), event))
        await writer.drain()
        await asyncio.sleep(0.05)


def stream_of(numbers: list[int], last: bytes = b"0\r\n\r\n", pause: float = 0.0) -> Handler:
    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        await send_events(reader, writer, numbers)
        await asyncio.sleep(pause)
        writer.write(last)

    return handler


FLAWS = [
    ([1, 2, 4], b"0\r\n\r\n", 0, "gap: b'id: 4\\ndata: x' instead of event 3"),
    ([2], b"0\r\n\r\n", 0, "gap: b'id: 2\\ndata: x' instead of event 1"),
    ([1, 2, 2], b"0\r\n\r\n", 0, "gap: b'id: 2\\ndata: x' instead of event 3"),
    ([1, 2], b"0\r\n\r\n", 0, "ended by the server"),
    ([1, 2], b"", 0, "closed without an answer"),
    ([1, 2], b"5\r\nid", 0, "truncated"),
    ([1], b"", 5, "timeout"),
]


@pytest.mark.parametrize(("numbers", "last", "pause", "what"), FLAWS)
def test_an_event_stream_with_a_flaw_is_found(
    planted: Planted, numbers: list[int], last: bytes, pause: float, what: str
) -> None:
    address = planted(stream_of(numbers, last, pause))

    tally = traffic.run(plan(address, EVENTS))

    assert {failure.what for failure in tally.failures} == {what}
    assert tally.ok <= 1  # one that the end of the run found open, before its flaw


@pytest.mark.parametrize(
    ("budget", "marks", "outcome"),
    [
        (0.1, [0.1], "ended"),  # opened before the cutover, cut after the budget
        (0.9, [0.1], "failed"),  # cut within the budget
        (0.1, [], "failed"),  # no cutover at all
    ],
)
def test_a_stream_may_be_cut_only_when_its_budget_is_over(
    planted: Planted, budget: float, marks: list[float], outcome: str
) -> None:
    address = planted(stream_of([1, 2, 3, 4, 5, 6, 7, 8], b""))

    tally = with_marks(plan(address, EVENTS, seconds=0.7, budget=budget), *marks)

    assert getattr(tally.of("events"), outcome) == 1


def test_a_gap_is_a_failure_even_after_the_budget(planted: Planted) -> None:
    address = planted(stream_of([1, 2, 3, 4, 5, 6, 9]))

    tally = with_marks(plan(address, EVENTS, seconds=0.5, budget=0.01), 0.1)

    assert tally.failed == 1


def test_events_cut_anywhere_into_chunks_are_still_events(planted: Planted) -> None:
    """A proxy may cut and join chunks as it likes."""

    async def cuts(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD)
        events = b"".join(b"id: %d\ndata: x\n\n" % number for number in range(1, 200))
        for start in range(0, len(events), 7):
            part = events[start : start + 7]
            writer.write(b"%x\r\n%b\r\n" % (len(part), part))
            await writer.drain()
            await asyncio.sleep(0.005)

    tally = traffic.run(plan(planted(cuts), EVENTS, seconds=0.7))

    assert (tally.failed, tally.ok) == (0, 1)


async def drops(socket: ServerConnection) -> None:
    await socket.send(await socket.recv())
    await asyncio.sleep(0.2)
    socket.transport.abort()


async def fails(socket: ServerConnection) -> None:
    await socket.send(await socket.recv())
    await asyncio.sleep(0.2)
    await socket.close(1011)


async def goes_away(socket: ServerConnection) -> None:
    await socket.send(await socket.recv())
    await asyncio.sleep(0.2)
    await socket.close(1001)


async def says_something_else(socket: ServerConnection) -> None:
    async for _ in socket:
        await socket.send("what?")


async def is_deaf(socket: ServerConnection) -> None:
    await socket.wait_closed()


def websockets(handler: Talk, plan_of: Callable[[str], Plan], *marks: float) -> Tally:
    """Run a plan against a websocket server that is made of `handler`."""

    async def both() -> Tally:
        async with serve(handler, "127.0.0.1", 0, close_timeout=0.2) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            address = f"http://127.0.0.1:{port}"
            return await asyncio.to_thread(with_marks, plan_of(address), *marks)

    return asyncio.run(both())


@pytest.mark.parametrize(
    ("flaw", "what"),
    [
        (drops, "closed 1006"),
        (fails, "closed 1011"),
        (says_something_else, "wrong echo"),
        (is_deaf, "timeout"),
    ],
)
def test_a_websocket_with_a_flaw_is_found(flaw: Talk, what: str) -> None:
    tally = websockets(flaw, lambda address: plan(address, WEBSOCKET))

    assert {failure.what for failure in tally.failures} == {what}
    assert tally.ok == 0


@pytest.mark.parametrize(
    ("handler", "budget", "marks", "outcome"),
    [
        (goes_away, 60, [], "ended"),  # nobody tells of cutovers
        (goes_away, 60, [0.1], "ended"),
        (drops, 60, [0.1], "failed"),
        (drops, 0.01, [0.1], "ended"),
    ],
)
def test_a_goodbye_is_allowed_and_a_cut_only_after_the_budget(
    handler: Talk, budget: float, marks: list[float], outcome: str
) -> None:
    tally = websockets(
        handler, lambda address: plan(address, WEBSOCKET, seconds=0.4, budget=budget), *marks
    )

    assert getattr(tally.of("websocket"), outcome) == 1


def test_a_goodbye_to_a_websocket_of_the_serving_release_is_a_failure() -> None:
    """Opened after the cutover, it has no reason to be closed."""
    tally = websockets(goes_away, lambda address: plan(address, WEBSOCKET, seconds=0.9), 0.1)

    assert tally.of("websocket").ended == 1
    assert tally.failed >= 1


def test_a_refused_handshake_is_a_failure(planted: Planted) -> None:
    async def answers_503(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")

    tally = traffic.run(plan(planted(answers_503), WEBSOCKET, seconds=0.5))

    assert {failure.what for failure in tally.failures} == {"status 503"}
