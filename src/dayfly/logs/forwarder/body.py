"""Records into the body of a batch."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from zoneinfo import ZoneInfo

from msgspec import structs

from dayfly.logs.forwarded import About, written
from dayfly.logs.forwarder.stamps import Stamps
from dayfly.logs.parsing.line import read_all
from dayfly.logs.parsing.parsed import Known, Parsed
from dayfly.logs.record import Value

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_FAST = 1  # of zstd's levels: a third of the CPU of gzip's quickest one, and smaller

Hide = Callable[[str], str]


def body(
    records: Sequence[str],
    stamps: Stamps,
    moment: int,
    zone: ZoneInfo,
    *,
    parse: bool,
    hide: Hide | None = None,
) -> bytes:
    """Where nothing has to be hidden, the lines as they are."""
    about = About(
        moment=moment, zone=zone.key, lines="written" if parse else "plain", **asdict(stamps)
    )
    if not hide:
        return zstd.compress(written(about, records), _FAST)
    if not parse:
        return zstd.compress(written(about, [hide(record) for record in records]), _FAST)
    made = list(read_all(records, Known(moment, zone)))
    _hide(made, hide)
    return zstd.compress(written(structs.replace(about, lines="read"), made), _FAST)


def _hide(made: Sequence[Parsed], hide: Hide) -> None:
    """Only after they were read, so that no level and no field is lost by it."""
    for each in made:
        each.message = hide(each.message)
        if each.fields:
            each.fields = {hide(name): _hidden(value, hide) for name, value in each.fields.items()}


def _hidden(value: Value, hide: Hide) -> Value:
    shown = str(value)
    clean = hide(shown)
    return value if clean == shown else clean
