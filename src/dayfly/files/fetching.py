"""The border to other servers: what lies at a URL, in pieces, also when the line breaks."""

import http.client
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace

from dayfly.errors import DayflyError
from dayfly.files.asking import FetchError, ask, shown

ATTEMPTS = 6  # in a row that bring nothing new
PAUSES = (0.2, 1.0, 5.0, 10.0, 20.0)  # seconds before the next one
PIECE = 1 << 20
OK, PARTIAL, UNCHANGED, NOTHING_LEFT = 200, 206, 304, 416
_LATER = frozenset((408, 425, 429, 500, 502, 503, 504))
_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a server says of it. `validator` is its ETag, else its Last-Modified, or empty."""

    type: str = ""
    encoding: str = ""
    validator: str = ""
    size: int | None = None


@dataclass
class Download:
    """Of a URL, from `at` on where that is still the state that `validator` names.

    First `begin`, then `pieces`. Whatever `at` was, `begin` says it anew: 0 where the server has
    another state, sends only the whole, or does not say of which state a part is.
    """

    url: str
    validator: str = ""
    at: int = 0
    sleep: Callable[[float], None] = time.sleep
    found: Found = field(default_factory=Found)
    _answer: http.client.HTTPResponse | None = None
    _failures: int = 0
    _ranges: bool = True  # until a part comes that does not prove what it is of

    def begin(self) -> bool:
        """False where all that we know is that it has not changed."""
        if self.at and not can_go_on(self.validator):
            self.at, self.validator = 0, ""
        self._connect(first=True)
        return self._answer is not None

    def pieces(self) -> Iterator[bytes]:
        """To the end, over as many connections as it takes."""
        while self._answer:
            try:
                with closing(self._answer) as answer:
                    yield from self._read(answer)
            except _BrokenError as error:
                self._failed(error)
                self._connect(first=False)
            else:
                return

    def _connect(self, *, first: bool) -> None:
        while True:
            try:
                self._answer = self._asked(first=first)
            except _BrokenError as error:
                self._failed(error)
            else:
                return

    def _asked(self, *, first: bool) -> http.client.HTTPResponse | None:
        headers = _headers(self.validator, self.at) if self._ranges else {}
        answer, error = ask(self.url, headers)
        if answer is None or answer.status in _LATER:
            if answer:
                answer.close()
            raise _BrokenError(error or f"it answers {answer.status if answer else 'nothing'}")
        try:
            return self._begun(answer, first=first)
        except BaseException:
            answer.close()
            raise

    def _begun(
        self, answer: http.client.HTTPResponse, *, first: bool
    ) -> http.client.HTTPResponse | None:
        status, told = answer.status, _found(answer)
        if status == UNCHANGED and not self.at:
            return None
        if status in (PARTIAL, NOTHING_LEFT) and self.at and self._ranges:
            start, size = _range(answer.headers.get("content-range", ""))
            if self._is_another(told, size):
                return self._anew(answer, first=first)
            if told.validator != self.validator or size is None:
                return self._from_the_start(answer, first=first)
            if status == NOTHING_LEFT and size == self.at:
                start = self.at
            if start != self.at:
                raise FetchError(f"{shown(self.url)}: it answers with another range than asked for")
            self.found = replace(told, size=size)
            return answer if status == PARTIAL else _emptied(answer)
        if status != OK:
            raise FetchError(
                f"{shown(self.url)}: it answers {status} {answer.reason}".strip(),
                hint="Nothing was stored.",
            )
        return self._whole(answer, told, first=first)

    def _is_another(self, told: Found, size: int | None) -> bool:
        """Whether a part is of another state: not every server asks itself what If-Range asks."""
        known = self.found.size
        other = _is_etag(told.validator) and told.validator != self.validator
        return other or (size is not None and known is not None and size != known)

    def _from_the_start(
        self, answer: http.client.HTTPResponse, *, first: bool
    ) -> http.client.HTTPResponse | None:
        """A part that does not say of which state it is, or how large that is, proves nothing."""
        answer.close()
        if first:
            self.at, self.validator = 0, ""
        self._ranges = False
        return self._asked(first=first)

    def _anew(
        self, answer: http.client.HTTPResponse, *, first: bool
    ) -> http.client.HTTPResponse | None:
        """All of what lies there now, unless bytes of before were handed out already."""
        answer.close()
        if not first:
            raise self._changed()
        self.at, self.validator = 0, ""
        return self._asked(first=True)

    def _changed(self) -> "ChangedError":
        return ChangedError(f"{shown(self.url)}: changed while it came", hint="Type it again.")

    def _whole(
        self, answer: http.client.HTTPResponse, told: Found, *, first: bool
    ) -> http.client.HTTPResponse:
        """All of it comes, whatever was asked for."""
        if self.at and not first:
            if told.validator != self.validator or self._is_another(told, told.size):
                raise self._changed()
            self._skip(answer)
        else:
            self.at = 0
        self.found, self.validator = told, told.validator
        return answer

    def _skip(self, answer: http.client.HTTPResponse) -> None:
        left = self.at
        while left and (piece := _piece(answer, min(PIECE, left))):
            left -= len(piece)
        if left:
            raise _BrokenError("the connection ended")

    def _read(self, answer: http.client.HTTPResponse) -> Iterator[bytes]:
        while piece := _piece(answer, PIECE):
            self.at, self._failures = self.at + len(piece), 0
            yield piece
        size = self.found.size
        if size is not None and self.at < size:
            raise _BrokenError(f"the connection ended after {self.at} of {size} bytes")
        if size is not None and self.at > size:
            raise ChangedError(f"{shown(self.url)}: more came than the {size} bytes that it told")

    def _failed(self, error: "_BrokenError") -> None:
        self._failures += 1
        if self.at and not can_go_on(self.validator):
            raise FetchError(
                f"{shown(self.url)}: {error}, and the server gives no strong ETag to go on by"
            ) from error
        if self._failures >= ATTEMPTS:
            hint = "What has come is kept: the same command goes on behind it." if self.at else ""
            raise FetchError(f"{shown(self.url)}: {error}", hint=hint) from error
        self.sleep(PAUSES[self._failures - 1])


class ChangedError(FetchError):
    """What lies there is not any more what was begun."""


class _BrokenError(Exception):
    """One connection failed; the next one may do better."""


def _headers(validator: str, at: int) -> Mapping[str, str]:
    """What is asked for: all, all that is new, or the rest of what was begun."""
    if at:
        return {"range": f"bytes={at}-", "if-range": validator}
    if not validator:
        return {}
    name = "if-none-match" if _is_etag(validator) else "if-modified-since"
    return {name: validator}


def _is_etag(validator: str) -> bool:
    return validator.startswith(('"', "W/"))


def can_go_on(validator: str) -> bool:
    """Whether a later state would be told from this one: within a second a date does not."""
    return validator.startswith('"')


def _found(answer: http.client.HTTPResponse) -> Found:
    headers = answer.headers
    length = headers.get("content-length", "")
    return Found(
        type=headers.get("content-type", ""),
        encoding=headers.get("content-encoding", ""),
        validator=headers.get("etag", "") or headers.get("last-modified", ""),
        size=int(length) if length.isdecimal() else None,
    )


def _range(text: str) -> tuple[int | None, int | None]:
    """Where it begins, and how large the whole is."""
    found = _RANGE.fullmatch(text)
    if found is None:
        return None, None
    return tuple(int(each) if each and each != "*" else None for each in found.groups())  # type: ignore[return-value]


def _emptied(answer: http.client.HTTPResponse) -> http.client.HTTPResponse:
    """Of an answer that says that nothing is left: its body says only that."""
    while _piece(answer, PIECE):
        pass
    return answer


def _piece(answer: http.client.HTTPResponse, size: int) -> bytes:
    try:
        return answer.read(size)
    except (OSError, http.client.HTTPException, DayflyError) as error:
        raise _BrokenError(str(error) or "the connection broke") from error
