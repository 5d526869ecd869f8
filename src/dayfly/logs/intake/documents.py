"""Documents of other log stores, and what of them is a record's time, message and origin."""

from collections.abc import Mapping
from typing import Any

import msgspec

from dayfly.logs.parsing.objects import LEVELS, TIMES, flat, of_fields
from dayfly.logs.parsing.parsed import Known
from dayfly.logs.record import Value
from dayfly.logs.store.problems import BodyError

# Where others keep what we have a name for; the first that is there counts.
ORIGINS = {
    "app": ("app", "service.name", "kubernetes.labels.app", "application"),
    "machine": ("machine", "container.name", "kubernetes.pod.name"),
    "host": ("host", "host.name", "hostname", "fromhost"),
    "process": ("process", "process.name", "programname", "app-name"),
    "stream": ("stream", "log.file.path"),
}
RSYSLOG = {"timereported": TIMES[0], "priority": LEVELS[0]}  # what it says if one lets it
_MESSAGES = ("event.original", "text")
_encode = msgspec.json.Encoder().encode


def line_of(document: Mapping[str, Any], now: int) -> bytes:
    """A document as one line of the store's own newline JSON; `now` is the time of one without."""
    fields = flat(document)
    if fields is None:
        raise BodyError("the document has more fields, or deeper ones, than a record can have")
    _rename(fields)
    parsed = of_fields(fields, "", Known(now))
    rest = dict(parsed.fields)
    origin = {name: _origin(rest, names) for name, names in ORIGINS.items()}
    line = {
        "time": now if parsed.time is None else parsed.time,
        "message": parsed.message or _message(rest, document),
        "level": parsed.level,
        "release": _release(rest),
        **origin,
        "fields": rest,
    }
    return _encode({name: value for name, value in line.items() if value or name == "message"})


def _rename(fields: dict[str, Value]) -> None:
    if not any(name in fields for name in TIMES):
        for theirs, ours in RSYSLOG.items():
            if theirs in fields and ours not in fields:
                fields[ours] = fields.pop(theirs)


def _origin(fields: dict[str, Value], names: tuple[str, ...]) -> str:
    """Taken out of the fields when it is a text."""
    for name in names:
        if isinstance(fields.get(name), str):
            return str(fields.pop(name))
    return ""


def _release(fields: dict[str, Value]) -> int:
    number = fields.get("release")
    if isinstance(number, bool) or not isinstance(number, int):
        return 0
    del fields["release"]
    return number


def _message(fields: dict[str, Value], document: Mapping[str, Any]) -> str:
    """A document without one is its own message."""
    for name in _MESSAGES:
        if isinstance(fields.get(name), str):
            return str(fields.pop(name))
    return _encode(document).decode()
