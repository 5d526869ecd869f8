"""Records into the body of a batch: newline JSON, gzip."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from zoneinfo import ZoneInfo

import msgspec

from dayfly.logs.forwarder.stamps import Stamps
from dayfly.logs.parsing.line import read
from dayfly.logs.parsing.parsed import Known
from dayfly.logs.record import Value

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
    fields: Mapping[str, Value] | None = None


Hide = Callable[[str], str]
_encode = msgspec.json.Encoder().encode_lines


def body(
    records: Sequence[str],
    stamps: Stamps,
    moment: int,
    zone: ZoneInfo,
    *,
    parse: bool,
    hide: Hide | None = None,
) -> bytes:
    """Records that tell no time get the moment of reading, each a nanosecond later than the last.

    So those of one batch keep their order where they are sorted by time.
    """
    made = (
        _parsed(records, stamps, Known(moment, zone)) if parse else _plain(records, stamps, moment)
    )
    if hide:
        _hide(made, hide)
    packer = zlib.compressobj(_FAST, wbits=_GZIP)
    return packer.compress(_encode(made)) + packer.flush()


def _hide(made: Sequence[_Wire], hide: Hide) -> None:
    """Only after they were parsed, so that no level and no field is lost by it."""
    for each in made:
        each.message = hide(each.message)
        if each.fields:
            each.fields = {hide(name): _hidden(value, hide) for name, value in each.fields.items()}


def _hidden(value: Value, hide: Hide) -> Value:
    shown = str(value)
    clean = hide(shown)
    return value if clean == shown else clean


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
