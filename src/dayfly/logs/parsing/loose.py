"""JSON as programs really write it: with half a letter, and with numbers that are none."""

import json
import re
from typing import Any, TypeVar

import msgspec

from dayfly import typed

Decoded = TypeVar("Decoded")
_HALF = re.compile("[\ud800-\udfff]")
_decode_object = typed.decoder(dict[str, Any]).decode
BROKEN = (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError)


def decoded(text: str | bytes) -> Any:  # noqa: ANN401 - JSON
    """What JSON says; where it is not quite JSON, half a letter is `�` and such a number a text.

    One of `BROKEN` where it is no JSON at all.
    """
    try:
        return typed.plain(text)
    except (msgspec.DecodeError, UnicodeError):
        found = json.loads(text, parse_float=_number, parse_constant=str)
        return _whole(found)


def an_object(text: str | bytes) -> dict[str, Any]:
    """The same of what has to be an object."""
    try:
        return _decode_object(text)
    except (msgspec.DecodeError, UnicodeError):
        return decoded_as(text, dict[str, Any])


def decoded_as(text: str | bytes, kind: type[Decoded]) -> Decoded:
    """The same, checked to be what somebody expects; ValidationError says what it is instead."""
    return typed.converted(decoded(text), kind)


def _number(text: str) -> float | str:
    found = float(text)
    return text if abs(found) == float("inf") else found


def _whole(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return _HALF.sub("\ufffd", value)
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(each) for name, each in value.items()}
    return value
