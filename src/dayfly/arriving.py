"""The body of an answer as it comes; ConnectionError where it breaks off."""

import io
from collections.abc import Iterator
from http.client import HTTPResponse, IncompleteRead
from typing import Any

PIECE = 1024 * 1024
BROKE_OFF = "the answer broke off"


def lines(answer: HTTPResponse) -> Iterator[str]:
    """Each as soon as it is there."""
    for line in io.BufferedReader(_Body(answer)):
        yield line.decode(errors="replace").rstrip("\r\n")


def pieces(answer: HTTPResponse) -> Iterator[bytes]:
    while piece := answer.read(PIECE):
        yield piece
    if answer.length:  # it counts what is still to come
        raise ConnectionError(BROKE_OFF)


class _Body(io.RawIOBase):
    """An answer's own `readline` takes what broke off for the end."""

    def __init__(self, answer: HTTPResponse) -> None:
        self._answer = answer

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int:  # noqa: ANN401 - the buffer's own kind
        try:
            came = self._answer.read1(len(room))
        except IncompleteRead as error:
            raise ConnectionError(BROKE_OFF) from error
        if not came and self._answer.length:
            raise ConnectionError(BROKE_OFF)
        room[: len(came)] = came
        return len(came)
