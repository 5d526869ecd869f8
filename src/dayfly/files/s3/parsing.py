"""Finds requests in what comes over a connection, with llhttp."""

from collections.abc import Callable
from typing import Protocol

import httptools

from dayfly.files.s3.exchange import Exchange
from dayfly.files.s3.head import MOST_HEAD, Head, name_of, text_of

LEAST_ROOM = 16 * 1024  # bytes of a body for which it is worth to read past the parser


class Hearer(Protocol):
    """Is told of requests, as far as they have come."""

    def begun(self, exchange: Exchange) -> None: ...

    def grown(self, size: int) -> None: ...

    def ended(self) -> None: ...

    def flow(self, wanted: bool) -> None: ...

    def go_on(self) -> None: ...


class Parsing:
    """`taking` is the request whose body is coming. Large bodies go past the parser.

    What is `balanced` says in its headers whose it is.

    Raises httptools' errors; ValueError where a head is too large.
    """

    def __init__(self, client: str, to: Hearer, *, balanced: bool = False) -> None:
        self._client = client
        self._balanced = balanced
        self._to = to
        self._parser = httptools.HttpRequestParser(self)
        self._head = Head(client)
        self._past = False  # the parser does not see the rest of this body
        self._unread = 0  # bytes since the last head or body ended
        self.taking: Exchange | None = None

    def room(self, usual: memoryview, fresh: Callable[[int], memoryview]) -> memoryview:
        """Where the next bytes are to be put."""
        return self.taking.room(fresh) if self._past and self.taking else usual

    def came(self, size: int, usual: memoryview) -> None:
        """So many bytes are in the room."""
        if self._past and self.taking:
            self._filled(self.taking, size)
            return
        self._unread += size
        self._parser.feed_data(usual[:size])
        if self.taking is None:
            if self._unread > MOST_HEAD:
                raise ValueError
        else:
            self._past = (self.taking.left or 0) >= LEAST_ROOM

    def _filled(self, exchange: Exchange, size: int) -> None:
        exchange.filled(size)
        self._to.grown(size)
        if not exchange.left:
            self._parser = httptools.HttpRequestParser(self)
            self.on_message_complete()

    @property
    def too_large(self) -> bool:
        return self._unread > MOST_HEAD

    def on_message_begin(self) -> None:
        self._head = Head(self._client)

    def on_url(self, url: bytes) -> None:
        self._head.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head.headers.append((name_of(name), text_of(value)))

    def on_headers_complete(self) -> None:
        head, parser, self._unread = self._head, self._parser, 0
        head.method = parser.get_method().decode("latin-1")
        if self._balanced:
            head.forwarded()
        keeps = parser.should_keep_alive() and not parser.should_upgrade()
        length, expects = head.announced
        exchange = Exchange(head, keeps, expects, self._to.flow, self._to.go_on, length)
        self.taking = exchange
        self._to.begun(exchange)

    def on_body(self, body: bytes) -> None:
        if self.taking:
            self.taking.push(body)
            self._to.grown(len(body))

    def on_message_complete(self) -> None:
        exchange, self.taking = self.taking, None
        self._past, self._unread = False, 0
        if exchange:
            exchange.end()
            self._to.ended()
