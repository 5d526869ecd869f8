"""Ask a log server, and show what comes as it comes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dayfly.cli.output import clean, cleaned, paint, table
from dayfly.cli.records import marker, record_line, table_lines
from dayfly.cli.show import size
from dayfly.client import Client
from dayfly.clock import SECOND
from dayfly.config.units import Duration, UnitError
from dayfly.errors import DayflyError, UsageError
from dayfly.logs.notice import noticed
from dayfly.logs.query import tree
from dayfly.logs.query.instants import span
from dayfly.logs.query.parse import parse
from dayfly.logs.query.written import text

SEARCH = "/search"
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
            yield remark(said["cut"])
        elif asked.json:
            yield json.dumps(row)
        elif query.pipes:
            rows.append(row)
        else:
            yield record_line(row, mark)
    yield from table_lines(rows)


class Remark(str):
    """A line about the answer, which is none of it."""

    __slots__ = ()


def remark(text: str) -> Remark:
    return Remark(paint("warn", clean(text)))


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
    lines += [paint("bad", f"missing: {clean(each)}") for each in found["problems"]]
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


def told(asked: Asked) -> dict[str, Any]:
    return {
        "query": asked.query,
        "since": asked.since or None,
        "until": asked.until or None,
        "limit": asked.limit,
    }


def moment(option: str, told: str, now: int) -> int:
    """The first moment of a time, or so long before now."""
    if found := span(told):
        return found[0]
    try:
        return now - round(Duration.parse(told) * SECOND)
    except UnitError as error:
        raise DayflyError(f"{option} {told}: {error.message}, or a time") from error


def check_time(asked: Asked, now: int) -> None:
    """UsageError where there is no time between the two bounds."""
    if asked.since and asked.until:
        since, until = moment("--since", asked.since, now), moment("--until", asked.until, now)
        if since >= until:
            raise UsageError(
                f"--until {asked.until} is not after --since {asked.since}: nothing lies between",
                hint="--until is the first moment that is not asked for.",
            )


def row_of(line: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(line)
    if "error" in (said := noticed(row)):
        raise DayflyError(said["error"], hint=said["hint"])
    return row
