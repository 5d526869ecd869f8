"""Ask a log server, and show what comes as it comes."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dayfly.cli.output import clean, paint
from dayfly.cli.records import marker, record_line, table_lines
from dayfly.client import Client
from dayfly.clock import Stop
from dayfly.errors import DayflyError
from dayfly.logs.query.instants import SECOND, iso, span
from dayfly.logs.query.parse import parse

SEARCH = "/search"
POLL_SECONDS = 1.0
OVERLAP = 30 * SECOND  # what arrives so late is still shown when following
EARLIEST = -(2**63)
MOST = 50_000  # records of one look while following


@dataclass(frozen=True, kw_only=True)
class Asked:
    query: str
    since: str = ""
    until: str = ""
    limit: int = 200
    json: bool = False


def found(client: Client, asked: Asked, *, path: str = SEARCH) -> Iterator[str]:
    """The lines to print; records newest first, as they are found. QueryError before anything."""
    query = parse(asked.query)
    mark, rows = marker(query), list[dict[str, Any]]()
    for line in client.lines(path, **_told(asked)):
        row = _row(line)
        if "cut" in row and len(row) == 1:
            yield paint("warn", clean(row["cut"]))
        elif asked.json:
            yield json.dumps(row)
        elif query.pipes:
            rows.append(row)
        else:
            yield record_line(row, mark)
    yield from table_lines(rows)


def followed(
    client: Client,
    asked: Asked,
    *,
    begin: int,
    now: Callable[[], int],
    stop: Stop,
    path: str = SEARCH,
) -> Iterator[str]:
    """What there is from `begin` on (nanoseconds), and what comes, oldest first, until stopped."""
    query = parse(asked.query)
    if query.pipes:
        raise DayflyError("Only records can be followed.", hint="Leave out what is after the `|`.")
    mark, tail = marker(query), Tail(begin)
    while not stop.requested:
        since = iso(tail.since(now()))
        told = {"query": asked.query, "since": since, "order": "oldest", "limit": tail.most}
        for line in tail.fresh(client.lines(path, **told)):
            row = _row(line)
            if "message" in row:
                yield json.dumps(row) if asked.json else record_line(row, mark)
        stop.wait(POLL_SECONDS)


@dataclass
class Tail:
    """Tells the new lines of looks that overlap, so that what comes late is not missed."""

    begin: int
    most: int = MOST
    _newest: int = EARLIEST
    _seen: Counter[str] = field(default_factory=Counter)

    def since(self, now: int) -> int:
        """A clock that is ahead must not hide what others write; a full look is gone on from."""
        full = self._seen.total() >= self.most
        overlap = self._newest if full else min(self._newest, now) - OVERLAP
        return max(self.begin, overlap)

    def fresh(self, lines: Iterable[str]) -> Iterator[str]:
        """Equal lines are told as often as they are there."""
        looked = Counter[str]()
        for line in lines:
            looked[line] += 1
            if looked[line] > self._seen[line]:
                self._newest = max(self._newest, _time(line))
                yield line
        self._seen = looked


def _told(asked: Asked) -> dict[str, Any]:
    return {
        "query": asked.query,
        "since": asked.since or None,
        "until": asked.until or None,
        "limit": asked.limit,
    }


def _row(line: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(line)
    if "error" in row and "hint" in row and "message" not in row:
        raise DayflyError(row["error"], hint=row["hint"])
    return row


def _time(line: str) -> int:
    moment = span(str(json.loads(line).get("time", "")))
    return moment[0] if moment else 0
