"""Documents of other log stores, and what of them is a record's time, message and origin."""

from collections.abc import Mapping
from typing import Any

import msgspec

from dayfly.logs.parsing.objects import LEVELS, TIMES, flat, of_fields
from dayfly.logs.parsing.parsed import Known, Parsed
from dayfly.logs.record import Value
from dayfly.logs.store.problems import BodyError

# Where others keep what we have a name for; the first that is there counts.
ORIGINS = {
    "app": ("app", "service.name", "kubernetes.labels.app", "application", "service_name"),
    "machine": ("machine", "container.name", "kubernetes.pod.name", "k8s.pod.name"),
    "host": ("host", "host.name", "hostname", "fromhost"),
    "process": ("process", "process.name", "programname", "app-name"),
    "stream": ("stream", "log.file.path"),
}
RSYSLOG = {"timereported": TIMES[0], "priority": LEVELS[0]}  # what it says if one lets it
_PLACES: dict[str, tuple[int, str, type]] = {
    name: (place, ours, str) for ours, names in ORIGINS.items() for place, name in enumerate(names)
} | {"release": (0, "release", int)}
_TIMES = frozenset(TIMES)
_MESSAGES = ("event.original", "text")
_encode = msgspec.json.Encoder().encode


def line_of(document: Mapping[str, Any], now: int) -> bytes:
    """A document as one line of the store's own newline JSON; `now` is the time of one without."""
    fields = flat(document)
    if fields is None:
        raise BodyError("the document has more fields, or deeper ones, than a record can have")
    _rename(fields)
    parsed = of_fields(fields, "", Known(now))
    told = {
        "time": now if parsed.time is None else parsed.time,
        "message": parsed.message or message_of(fields, document),
        "level": parsed.level,
        "fields": fields,
    }
    _take_origin(fields, told)
    return _encode(told)


def line(parsed: Parsed, fields: dict[str, Value], now: int, **origin: str | int) -> bytes:
    """What was understood, as a line; origins that nothing names are looked for in the fields."""
    told = {
        "time": now if parsed.time is None else parsed.time,
        "message": parsed.message,
        "level": parsed.level,
        "fields": fields,
        **{name: value for name, value in {**parsed.origin, **origin}.items() if value},
    }
    _take_origin(fields, told)
    return _encode(told)


def _rename(fields: dict[str, Value]) -> None:
    if _TIMES.isdisjoint(fields):
        for theirs, ours in RSYSLOG.items():
            if theirs in fields and ours not in fields:
                fields[ours] = fields.pop(theirs)


def _take_origin(fields: dict[str, Value], told: dict[str, Any]) -> None:
    """From the fields into what is told, where it is of the right kind."""
    for name in sorted(_PLACES.keys() & fields.keys(), key=_PLACES.__getitem__):
        _, ours, kind = _PLACES[name]
        if ours not in told and type(fields[name]) is kind:
            told[ours] = fields.pop(name)


def message_of(fields: dict[str, Value], document: Mapping[str, Any]) -> str:
    """A document without one is its own message."""
    for name in _MESSAGES:
        if isinstance(fields.get(name), str):
            return str(fields.pop(name))
    return _encode(document).decode()
