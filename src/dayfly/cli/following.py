"""Show records as they come, until the person has seen enough."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dayfly.cli.records import Mark, marker, record_line
from dayfly.cli.searching import SEARCH, Asked, moment, remark, row_of
from dayfly.cli.tail import OVERLAP, Tail
from dayfly.client import Client, ClientError
from dayfly.clock import Stop
from dayfly.errors import DayflyError, StoppedError
from dayfly.logs.notice import KEY, noticed
from dayfly.logs.query.instants import iso
from dayfly.logs.query.parse import parse

CLOCK = "/now"
POLL_SECONDS = 1.0
AGAIN = (429, 500, 502, 503, 504)  # answers of a server that is busy, or on its way up or down
Row = dict[str, Any]


def followed_from(
    client: Client, asked: Asked, *, now: Callable[[], int], path: str = SEARCH
) -> Iterator[str]:
    """From `since` on, or from now: by the clock of the store, whatever it is here."""
    parse(asked.query)
    ahead = now() - _clock(client, path)
    tail = begun(asked, now() - ahead)
    return followed(client, asked, tail=tail, now=lambda: now() - ahead, stop=Stop(), path=path)


def begun(asked: Asked, now: int) -> Tail:
    if asked.since:
        return Tail(moment("--since", asked.since, now))
    return Tail(now - OVERLAP, shown_from=now)


def _clock(client: Client, path: str) -> int:
    told = client.get(f"{path.removesuffix(SEARCH)}{CLOCK}")
    return moment(CLOCK, told["time"], 0)


def followed(
    client: Client,
    asked: Asked,
    *,
    tail: Tail,
    now: Callable[[], int],
    stop: Stop,
    path: str = SEARCH,
) -> Iterator[str]:
    """What there is from the tail's begin on, and what comes, oldest first, until stopped.

    A server that stops answering in between is asked again, as long as it takes.
    """
    query = parse(asked.query)
    if query.pipes:
        raise DayflyError("Only records can be followed.", hint="Leave out what is after the `|`.")
    shown, look = _shown(asked, marker(query)), Look()
    while not stop.requested:
        since = iso(tail.since(now()))
        wanted = {"query": asked.query, "since": since, "order": "oldest", "limit": tail.most}
        try:
            for line in tail.fresh(look.records(client.lines(path, **wanted))):
                yield shown(json.loads(line))
            look.answered(tail, now())
        except DayflyError as error:
            look.failed(error)
        yield from map(remark, look.take(tail))
        if tail.ended or look.away:
            stop.wait(POLL_SECONDS)


@dataclass
class Look:
    """What the answers say beside the records, each thing once."""

    away: bool = False  # since the last look
    _began: bool = False
    _last: str = ""
    _cut: str = ""
    _told: set[str] = field(default_factory=set)
    _say: list[str] = field(default_factory=list)

    def records(self, lines: Iterable[str]) -> Iterator[str]:
        self._last = self._cut = ""
        for line in lines:
            self._began = True
            if f'"{KEY}"' in line and (said := noticed(row_of(line))):
                self._cut = said["cut"]
            else:
                self._last = line
                yield line

    def answered(self, tail: Tail, now: int) -> None:
        if self._cut and tail.ended:
            tail.cut(self._last)
        if self._cut and self._cut not in self._told:
            self._told.add(self._cut)
            self._say.append(self._cut)
        if self.away:
            self._say.append("The log store answers again, and it goes on from where it was.")
        self.away, self._began = False, True
        tail.lags(now)

    def failed(self, error: DayflyError) -> None:
        """Raise what another look would not change."""
        if isinstance(error, StoppedError) or not self._passes(error):
            raise error
        if not self.away:
            self._say.append(f"{error.message} It is asked again until it answers.")
        self.away = True

    def _passes(self, error: DayflyError) -> bool:
        if isinstance(error, ClientError):
            return self._began and error.status in (None, *AGAIN)
        return True

    def take(self, tail: Tail) -> list[str]:
        """What is to be said now."""
        said = [*self._say, *tail.remarks]
        self._say.clear()
        tail.remarks.clear()
        return said


def _shown(asked: Asked, mark: Mark) -> Callable[[Row], str]:
    return json.dumps if asked.json else lambda row: record_line(row, mark)
