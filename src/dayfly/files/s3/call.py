"""A request as a value: what was asked, before anything is decided about it."""

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

import msgspec

from dayfly.files.s3.problem import S3Error

MOST_HEADERS = 16 * 1024  # bytes of all names and values
MOST_PARAMETERS = 100


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """`path` is decoded; the names of `headers` are lower case; `parameters` are the query's."""

    method: str
    path: str
    headers: Mapping[str, str]
    pairs: tuple[tuple[str, str], ...] = ()
    parameters: Mapping[str, str]
    client: str = ""
    secure: bool = False

    def header(self, name: str) -> str:
        return self.headers.get(name, "")


def call_of(
    method: str,
    path: str,
    query: str = "",
    headers: Iterable[tuple[str, str]] = (),
    *,
    client: str = "",
    secure: bool = False,
) -> Call:
    """S3Error where it is too large to be looked at."""
    pairs = tuple(_parsed(query)) if query else ()
    return Call(
        method=method,
        path=path,
        headers=_joined(headers),
        pairs=pairs,
        parameters=dict(reversed(pairs)),
        client=client,
        secure=secure,
    )


def _parsed(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS, errors="strict"
        )
    except ValueError as error:  # too many, or not UTF-8
        raise S3Error("InvalidURI") from error


def _joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """A name that comes twice has both values, as signatures want it."""
    found = dict[str, str]()
    size = 0
    for name, value in headers:
        size += len(name) + len(value)
        found[name] = f"{found[name]},{value}" if name in found else value
    if size > MOST_HEADERS:
        raise S3Error("MaxMessageLengthExceeded", "The headers of the request are too large.")
    return found
