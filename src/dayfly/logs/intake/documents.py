"""Documents of other log stores, and what of them is a record's time, message and origin."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from dayfly.logs.parsing import loose
from dayfly.logs.parsing.objects import (
    LEVELS,
    TIMES,
    Names,
    flat,
    is_usual,
    named,
    of_named,
)
from dayfly.logs.parsing.parsed import Known, Parsed
from dayfly.logs.record import Value
from dayfly.logs.store.line import Line
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
PLACES: dict[str, tuple[int, str, type]] = {
    name: (place, ours, str) for ours, names in ORIGINS.items() for place, name in enumerate(names)
} | {"release": (0, "release", int)}
_TIMES = frozenset(TIMES)
MESSAGES = ("event.original", "text")
_encode = msgspec.json.Encoder().encode


class _Plan(NamedTuple):
    """What the names of a document's fields may be."""

    names: Names
    places: tuple[tuple[str, str, type], ...]  # the first that count before the others


def record_of(document: Mapping[str, Any], now: int) -> Line:
    """A document as a record; `now` is the time of one without."""
    fields = flat(document)
    if fields is None:
        raise BodyError("the document has more fields, or deeper ones, than a record can have")
    _rename(fields)
    return record(fields, now, document)


def record(
    fields: dict[str, Value],
    now: int,
    document: Mapping[str, Any] | bytes,
    said: Value | None = None,
    at: int | None = None,
) -> Line:
    """Of fields that nobody else needs; what was `said`, and when, if somebody knows it.

    Then nothing else is the message, or the time: it stays a field.
    """
    plan = _plan_of(fields)
    times, levels, messages = plan.names
    names = (() if at is not None else times, levels, () if said is not None else messages)
    parsed = of_named(fields, "", _known(now), names)
    message = parsed.message if said is None else str(said)
    time = parsed.time if at is None else at
    made = Line(now if time is None else time, message or message_of(fields, document))
    made.level, made.fields = parsed.level, fields
    _take_origin(fields, made, plan)
    return made


def line(parsed: Parsed, fields: dict[str, Value], now: int, **origin: str | int) -> bytes:
    """What was understood, as a line; origins that nothing names are looked for in the fields."""
    made = Line(now if parsed.time is None else parsed.time, parsed.message)
    made.level, made.fields = parsed.level, fields
    for name, word in parsed.origin.items():
        setattr(made, name, int(word) if name == "release" else word)
    for name, value in origin.items():
        if value:
            setattr(made, name, value)
    _take_origin(fields, made, _plan_of(fields))
    return _encode(made)


def _rename(fields: dict[str, Value]) -> None:
    """What rsyslog calls otherwise."""
    if not fields.keys().isdisjoint(RSYSLOG) and _TIMES.isdisjoint(fields):
        for theirs, ours in RSYSLOG.items():
            if theirs in fields and ours not in fields:
                fields[ours] = fields.pop(theirs)


def _plan_of(fields: Mapping[str, Value]) -> _Plan:
    """Documents of one sender have the same names: what they may be is remembered."""
    names = tuple(fields)
    plan = _plans.get(names)
    if plan is None:
        plan = _plan(names)
        if is_usual(names):
            if len(_plans) >= MOST_PLANS:
                _plans.clear()
            _plans[names] = plan
    return plan


def _plan(names: tuple[str, ...]) -> _Plan:
    there = sorted(PLACES.keys() & set(names), key=PLACES.__getitem__)
    return _Plan(named(names), tuple((name, *PLACES[name][1:]) for name in there))


_known = lru_cache(maxsize=8)(Known)  # of one body all have the same
MOST_PLANS = 512
_plans: dict[tuple[str, ...], _Plan] = {}


def _take_origin(fields: dict[str, Value], made: Line, plan: _Plan) -> None:
    """From the fields into the record, where it is of the right kind."""
    for name, ours, kind in plan.places:
        value = fields.get(name)
        if type(value) is kind and not getattr(made, ours):
            setattr(made, ours, value)
            del fields[name]


def message_of(fields: dict[str, Value], document: Mapping[str, Any] | bytes) -> str:
    """A document without one is its own message."""
    for name in MESSAGES:
        if isinstance(fields.get(name), str):
            return str(fields.pop(name))
    return whole(document) if isinstance(document, bytes) else _encode(document).decode()


def whole(text: bytes) -> str:
    """A document as its own message."""
    return _encode(loose.an_object(text)).decode()
