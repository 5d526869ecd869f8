"""Ask a log server, and show what comes as it comes."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dayfly.cli.output import clean, cleaned, paint, table
from dayfly.cli.records import marker, record_line, table_lines
from dayfly.cli.show import size
from dayfly.client import Client
from dayfly.clock import Stop
from dayfly.config.units import Duration, UnitError
from dayfly.errors import DayflyError
from dayfly.logs.notice import noticed
from dayfly.logs.query import tree
from dayfly.logs.query.instants import SECOND, iso, span
from dayfly.logs.query.parse import parse
from dayfly.logs.query.written import text

SEARCH = "/search"
POLL_SECONDS = 1.0
OVERLAP = 30 * SECOND  # what arrives so late is still shown when following
EARLIEST = -(2**63)
MOST = 50_000  # records of one look while following
NOT_YET = "Nothing is packed yet; what came in the last five minutes can be searched already."


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
    for line in client.lines(path, **told(asked)):
        row = row_of(line)
        if said := noticed(row):
            yield paint("warn", clean(said["cut"]))
        elif asked.json:
            yield json.dumps(row)
        elif query.pipes:
            rows.append(row)
        else:
            yield record_line(row, mark)
    yield from table_lines(rows)


def narrowed(query: str, wanted: Mapping[str, Any]) -> str:
    """The query, and of these attributes only the values that are told."""
    told = {name: value for name, value in wanted.items() if value is not None}
    if not told:
        return query
    parsed = parse(query)
    more = tuple(tree.Compare(name, "=", value) for name, value in told.items())
    own = () if isinstance(parsed.where, tree.Everything) else (parsed.where,)
    parts = (*own, *more)
    return text(replace(parsed, where=parts[0] if len(parts) == 1 else tree.And(parts)))


def usage_lines(found: Any) -> list[str]:  # noqa: ANN401 - JSON
    """By app and day; below, what is free and when that ends, where the store tells it."""
    apps = found if isinstance(found, list) else found["apps"]
    rows = [
        (each["day"], each["app"] or "-", f"{each['records']:,}", size(each["size"]))
        for each in cleaned(apps)
    ]
    lines = table(rows, head=("day", "app", "records", "size")) if rows else [NOT_YET]
    if isinstance(found, list):
        return lines
    full = clean(found["full_at"][:10]) if found["full_at"] else "never at this rate"
    rate = f"stored {size(found['stored'])}, {size(found['a_day'])} a day"
    return [*lines, "", f"{rate}, free {size(found['free'])}; the disk is full: {full}"]


def feed_lines(found: Sequence[Mapping[str, Any]]) -> list[str]:
    if not found:
        return ["Nothing goes on: [logs.feed.NAME] in environment.toml declares a feed."]
    rows = [
        (
            each["name"],
            each["kind"],
            *(f"{each[name]:,}" for name in ("sent", "refused", "dropped")),
            paint("bad", each["problem"]) or "-",
        )
        for each in found
    ]
    return table(rows, head=("feed", "kind", "sent", "refused", "dropped", "problem"))


def followed_from(
    client: Client, asked: Asked, *, now: Callable[[], int], path: str = SEARCH
) -> Iterator[str]:
    """From `since` on, or from now."""
    begin = _moment(asked.since, now()) if asked.since else now()
    return followed(client, asked, begin=begin, now=now, stop=Stop(), path=path)


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
        wanted = {"query": asked.query, "since": since, "order": "oldest", "limit": tail.most}
        for line in tail.fresh(client.lines(path, **wanted)):
            row = row_of(line)
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


def _moment(told: str, now: int) -> int:
    if found := span(told):
        return found[0]
    try:
        return now - round(Duration.parse(told) * SECOND)
    except UnitError as error:
        raise DayflyError(f"--since {told}: {error.message}, or a time") from error


def told(asked: Asked) -> dict[str, Any]:
    return {
        "query": asked.query,
        "since": asked.since or None,
        "until": asked.until or None,
        "limit": asked.limit,
    }


def row_of(line: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(line)
    if "error" in (said := noticed(row)):
        raise DayflyError(said["error"], hint=said["hint"])
    return row


def _time(line: str) -> int:
    moment = span(str(json.loads(line).get("time", "")))
    return moment[0] if moment else 0
