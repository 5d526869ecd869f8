"""Answers on their way out. Large files are sent by the server itself, which reads as they go."""

from collections.abc import AsyncIterator
from email.header import Header
from typing import Protocol as Typed

from dayfly.files.s3.answer import Answer, Headers, Lent
from dayfly.files.s3.lending import Lending
from dayfly.files.s3.problem import S3Error

_SERVER = ("server", "dayfly")


class Protocol(Typed):
    """RSGI's, as far as it is used. It does not wait for a slow reader where it is given bytes."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def response_empty(self, status: int, headers: Headers) -> None: ...

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...

    def response_file_range(
        self, status: int, headers: Headers, file: str, start: int, end: int
    ) -> None: ...


def send(protocol: Protocol, answer: Answer, more: Headers, lending: Lending) -> None:
    headers = [(name, _plain(value)) for name, value in answer.headers]
    headers += [*more, _SERVER]
    body = answer.body
    if isinstance(body, Lent):
        _lend(protocol, answer.status, headers, body, lending)
    elif body:
        headers.append(("content-length", str(len(body))))
        protocol.response_bytes(answer.status, headers, body)
    else:
        protocol.response_empty(answer.status, headers)


def _lend(protocol: Protocol, status: int, headers: Headers, body: Lent, lending: Lending) -> None:
    with body.opened as opened:
        try:
            path = lending.path(opened.descriptor)
        except S3Error as error:
            protocol.response_empty(error.status, [*headers[-2:], ("retry-after", "1")])
            return
        headers.append(("content-length", str(body.part.size)))
        protocol.response_file_range(status, headers, path, body.part.start, body.part.end)


def _plain(value: str) -> str:
    """HTTP's headers are ASCII; what is not is written as in mails, which S3 does too."""
    return value if value.isascii() else Header(value, "utf-8", maxlinelen=10_000).encode()
