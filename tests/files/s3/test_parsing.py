"""Requests found in what comes, however it is cut, and their bodies whole."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from dayfly.files.s3.exchange import Exchange, Piece
from dayfly.files.s3.parsing import LEAST_ROOM, Parsing
from dayfly.files.s3.rooms import FEW, LEAST_PIECE, MOST_PIECE, Rooms

USUAL = 64 * 1024


@dataclass
class Heard:
    """Keeps what it is told, and lets everything come."""

    requests: list[Exchange] = field(default_factory=list)

    def begun(self, exchange: Exchange) -> None:
        self.requests.append(exchange)

    def grown(self, size: int) -> None: ...

    def ended(self) -> None: ...

    def flow(self, wanted: bool) -> None: ...

    def go_on(self) -> None: ...


def heard(wire: bytes, cuts: list[int]) -> list[Exchange]:
    """As a socket gives it: as much as there is and there is room for."""
    told, rooms, usual = Heard(), Rooms(), memoryview(bytearray(USUAL))
    parsing = Parsing("127.0.0.1", told)
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        piece = wire[start:end]
        while piece:
            room = parsing.room(usual, rooms.fresh)
            size = min(len(room), len(piece))
            room[:size] = piece[:size]
            parsing.came(size, usual)
            piece = piece[size:]
    return told.requests


def body_of(exchange: Exchange) -> bytes:
    async def taken() -> bytes:
        return b"".join([bytes(piece) async for piece in exchange])

    return asyncio.run(taken())


def request(number: int, body: bytes) -> bytes:
    return b"PUT /b/%d HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (number, len(body)) + body


SIZES = st.sampled_from(
    (0, 1, LEAST_ROOM - 1, LEAST_ROOM, USUAL - 60, USUAL, 3 * USUAL, MOST_PIECE, MOST_PIECE + 9)
)


@settings(max_examples=25, deadline=None)
@given(st.lists(SIZES, min_size=1, max_size=4), st.data())
def test_each_body_is_whole_however_it_comes(sizes: list[int], data: st.DataObject) -> None:
    bodies = [bytes([65 + number]) * size for number, size in enumerate(sizes)]
    wire = b"".join(request(number, body) for number, body in enumerate(bodies))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=8)))

    found = heard(wire, cuts)

    assert [each.head.target for each in found] == [b"/b/%d" % n for n in range(len(sizes))]
    assert [body_of(each) for each in found] == bodies
    assert all(each.ended for each in found)


def test_what_comes_slowly_is_given_as_it_comes_and_the_rest_is_whole() -> None:
    """Pieces of a body are taken while one waits for the others."""
    size = 3 * LEAST_ROOM
    told, rooms, usual = Heard(), Rooms(), memoryview(bytearray(USUAL))
    parsing = Parsing("127.0.0.1", told)
    head = b"PUT /b/1 HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size

    def come(wire: bytes) -> None:
        room = parsing.room(usual, rooms.fresh)
        room[: len(wire)] = wire
        parsing.came(len(wire), usual)

    async def story() -> list[int]:
        come(head)
        pieces = aiter(told.requests[0])
        come(b"1" * LEAST_ROOM)
        sizes = [len(await anext(pieces))]
        come(b"2" * 2 * LEAST_ROOM)
        return [*sizes, *[len(each) async for each in pieces]]

    assert asyncio.run(story()) == [LEAST_ROOM, 2 * LEAST_ROOM]
    assert told.requests[0].ended


def test_many_small_pieces_are_taken_together() -> None:
    told = Heard()
    parsing, usual = Parsing("127.0.0.1", told), memoryview(bytearray(USUAL))
    wire = b"PUT /b/1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    wire += b"1\r\na\r\n" * 9000 + b"0\r\n\r\n"
    usual[: len(wire)] = wire
    parsing.came(len(wire), usual)

    async def story() -> list[int]:
        return [len(each) async for each in told.requests[0]]

    assert asyncio.run(story()) == [9000]


def test_a_body_that_was_refused_leaves_the_next_request_alone() -> None:
    told, rooms, usual = Heard(), Rooms(), memoryview(bytearray(USUAL))
    parsing = Parsing("127.0.0.1", told)
    head = b"PUT /b/1 HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (2 * MOST_PIECE)
    wire = head + bytes(2 * MOST_PIECE) + request(2, b"next")
    at = 0
    while at < len(wire):
        room = parsing.room(usual, rooms.fresh)
        size = min(len(room), len(wire) - at, 50_000)
        room[:size] = wire[at : at + size]
        parsing.came(size, usual)
        at += size
        if at > USUAL and len(told.requests) == 1:
            told.requests[0].discard()

    assert body_of(told.requests[1]) == b"next"


def test_rooms_are_smaller_when_many_send_and_are_used_again() -> None:
    rooms = Rooms()
    first: Piece = rooms.fresh(2 * MOST_PIECE)
    memory = first.obj if isinstance(first, memoryview) else None
    rooms.used(first)

    assert len(rooms.fresh(10)) == 10
    assert rooms.fresh(MOST_PIECE).obj is memory
    rooms.bodies = 100 * FEW
    assert len(rooms.fresh(MOST_PIECE)) == LEAST_PIECE
