"""JSON and plain values as values of our own types.

What msgspec learns of a class at its first use it keeps with the class, and other threads see it
half learned: they crash, and the whole process with them. So all of it is learned here, by one
thread at a time; nothing else decodes.
"""

from threading import Lock
from typing import Any, TypeVar

import msgspec

Kind = TypeVar("Kind")

_learning = Lock()
_decoders: dict[object, msgspec.json.Decoder[Any]] = {}

plain = msgspec.json.Decoder().decode
"""JSON as lists, dictionaries, texts and numbers; msgspec.DecodeError where it is none."""


def decoder(kind: type[Kind]) -> msgspec.json.Decoder[Kind]:
    """To be kept by who decodes often."""
    with _learning:
        return msgspec.json.Decoder(kind)


def decode(text: str | bytes, kind: type[Kind]) -> Kind:
    """msgspec.DecodeError where it is no JSON, ValidationError where it is of another type."""
    return _known(kind).decode(text)


def converted(value: object, kind: type[Kind]) -> Kind:
    """The same of what has been decoded; msgspec.ValidationError."""
    _known(kind)
    return msgspec.convert(value, kind)


def _known(kind: type[Kind]) -> msgspec.json.Decoder[Kind]:
    found = _decoders.get(kind)
    if found is None:
        found = _decoders.setdefault(kind, decoder(kind))
    return found
