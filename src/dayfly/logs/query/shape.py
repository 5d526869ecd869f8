"""The shape of a message: what differs from line to line is left out, so that lines group."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_TIME = (
    r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"(?:[.,][0-9]+)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)
SHAPES = (
    (r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b", "<uuid>"),
    (_TIME, "<time>"),
    (r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b", "<ip>"),
    (r"\b0x[0-9a-fA-F]+\b|\b[0-9a-fA-F]{16,}\b", "<hex>"),
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
