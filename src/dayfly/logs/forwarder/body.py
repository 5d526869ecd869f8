"""Records into the body of a batch: newline JSON, gzip."""

import zlib
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec

from dayfly.logs.forwarder.stamps import Stamps
from dayfly.logs.parsing.line import read
from dayfly.logs.parsing.parsed import Known

_FAST = 1  # of zlib's levels: a third of the CPU of the usual one, nearly as small
_GZIP = 31


class _Wire(msgspec.Struct, omit_defaults=True):
    """A Record, as it is written: a class that costs little to make."""

    time: int
    message: str
    app: str = ""
    release: int = 0
    machine: str = ""
    host: str = ""
    process: str = ""
    stream: str = ""
    level: str = ""
    fields: object = None


_encode = msgspec.json.Encoder().encode_lines


def body(
    records: Sequence[str], stamps: Stamps, moment: int, zone: ZoneInfo, *, parse: bool
) -> bytes:
    """Records that tell no time get the moment of reading, each a nanosecond later than the last.

    So those of one batch keep their order where they are sorted by time.
    """
    made = (
        _parsed(records, stamps, Known(moment, zone)) if parse else _plain(records, stamps, moment)
    )
    packer = zlib.compressobj(_FAST, wbits=_GZIP)
    return packer.compress(_encode(made)) + packer.flush()


def _plain(records: Sequence[str], stamps: Stamps, moment: int) -> list[_Wire]:
    own = (
        stamps.app, stamps.release, stamps.machine, stamps.host, stamps.process, stamps.stream,
    )  # fmt: skip
    return [_Wire(moment + index, record, *own) for index, record in enumerate(records)]


def _parsed(records: Sequence[str], stamps: Stamps, known: Known) -> list[_Wire]:
    made = []
    for index, record in enumerate(records):
        message, level, time, fields, origin = read(record, known)
        made.append(
            _Wire(
                known.moment + index if time is None else time,
                message,
                stamps.app or origin.get("app", ""),
                stamps.release or int(origin.get("release", 0)),
                stamps.machine or origin.get("machine", ""),
                stamps.host or origin.get("host", ""),
                stamps.process or origin.get("process", ""),
                stamps.stream,
                level,
                fields or None,
            )
        )
    return made
