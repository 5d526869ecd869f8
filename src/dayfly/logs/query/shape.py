"""The shape of a message: what differs from line to line is left out, so that lines group."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_TIME = (
    r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"(?:[.,][0-9]+)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_HEX = "[0-9a-fA-F]"
# With `::` its first group has a digit: `Abc::Def` is a name.
_PART = rf"(?:{_HEX}{{1,4}}:){{0,6}}"
_IP6 = (
    rf"\b(?:{_HEX}{{1,4}}:){{7}}{_HEX}{{1,4}}\b"
    rf"|\b{_HEX}{{0,3}}[0-9]{_HEX}{{0,3}}:{_PART}:(?:{_PART}{_HEX}{{1,4}}\b|\B)"
    rf"|\B::(?:ffff:<ip>|{_PART}{_HEX}*[0-9]{_HEX}*\b)"
)
_LASTED = r"\b(?:[0-9]+(?:\.[0-9]+)?(?:ns|us|µs|ms|[smhd])){2,}\b"  # 1h30m
_PREFIX = r"\b((?:[A-Za-z]+_)*)"  # req_37f336af9e
_ANY = "[0-9A-Za-z]*"
# Letters and digits in one run are put between marks, those of ten and more between others.
# An id is one of 7 to 15 hex digits (1234567b is a size), or one in which letters and digits
# take turns: four times, or three times in a long one. So `sha256` and `v1beta1` are words.
_RUN, _LONG = "\ue000", "\ue001"
_MIXED = rf"{_PREFIX}((?:[A-Za-z]+[0-9]|[0-9]+[A-Za-z][0-9A-Za-z]|[0-9]{{6,}}[acef]){_ANY})\b"
_TURNS = "[A-Za-z]+[0-9]+[A-Za-z]+[0-9]+", "[0-9]+[A-Za-z]+[0-9]+[A-Za-z]+"
_IDS = (
    rf"{_RUN}(?:{_TURNS[0]}[A-Za-z]|{_TURNS[1]}[0-9]){_ANY}{_RUN}"
    rf"|{_LONG}(?:{_TURNS[0]}|{_TURNS[1]}){_ANY}{_LONG}"
)
SHAPES = (
    (r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b", "<uuid>"),
    (_TIME, "<time>"),
    (r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b", "<ip>"),
    (_IP6, "<ip>"),
    (rf"\b{_HEX}{{2}}(?::{_HEX}{{2}}){{5}}\b", "<hex>"),
    (rf"{_PREFIX}(?:0x{_HEX}+|{_HEX}{{16,}})\b", "${1}<hex>"),
    (_LASTED, "<n>"),
    (_MIXED, f"${{1}}{_RUN}${{2}}{_RUN}"),
    (rf"{_RUN}{_HEX}{{7,15}}{_RUN}", "<n>"),
    (rf"{_RUN}([0-9A-Za-z]{{10,}}){_RUN}", f"{_LONG}${{1}}{_LONG}"),
    (_IDS, "<n>"),
    (f"[{_RUN}{_LONG}]", ""),
    (r"[0-9]+(?:\.[0-9]+)?", "<n>"),
)


def shapes(messages: "pl.Series") -> "pl.Series":
    """Many at once, as the store asks."""
    for pattern, name in SHAPES:
        messages = messages.str.replace_all(pattern, name)
    return messages


def shape(message: str) -> str:
    import polars as pl  # noqa: PLC0415 - takes 0.2 s, and a query is read without it

    return str(shapes(pl.Series([message]))[0])
