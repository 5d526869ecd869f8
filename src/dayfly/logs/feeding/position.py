"""How far a feed has come: on disk, before and after everything that is sent."""

import os
from pathlib import Path

import msgspec

from dayfly.durable import write_atomically
from dayfly.stored import read_json


class Position(msgspec.Struct, kw_only=True):
    id: str  # the beginning of the ids of what it sends, so that two stores never share one
    after: int = 0  # sequence of the last frame of the write-ahead log that is done with
    until: int = 0  # what is under way ends here: after a crash the very same is sent again
    sent: int = 0  # records
    refused: int = 0  # by the receiver, for good
    dropped: int = 0  # frames that were given up, because it lagged too far behind


def load(path: Path) -> Position:
    hint = "Move it away to feed again all that is not sealed yet."
    return read_json(path, Position, absent=Position(id=os.urandom(6).hex()), hint=hint)


def save(path: Path, position: Position) -> None:
    write_atomically(path, msgspec.json.encode(position))
