"""What stands beside a search: lines around a record, and two releases compared."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from dayfly.cli.output import clean, paint, table
from dayfly.cli.records import marker, record_line
from dayfly.cli.searching import Asked, remark, row_of, told
from dayfly.client import Client
from dayfly.errors import DayflyError
from dayfly.logs.notice import noticed
from dayfly.logs.query.parse import parse

_STREAM = ("time", "app", "release", "machine", "host", "stream", "message")


def surrounded(client: Client, asked: Asked, lines: int, *, prefix: str) -> Iterator[str]:
    """Each record that is found between its neighbours of the same stream, oldest first."""
    query = parse(asked.query)
    if query.pipes:
        raise DayflyError("Only records have lines around.", hint="Leave out the `|`.")
    mark, shown = marker(query), False
    for line in client.lines(f"{prefix}/search", **told(asked)):
        row = row_of(line)
        if said := noticed(row):
            yield remark(said["cut"])
            continue
        stands = {name: row[name] or None for name in _STREAM}
        found = client.get(f"{prefix}/context", **stands, before=lines, after=lines)
        if asked.json:
            yield json.dumps(found)
            continue
        if shown:
            yield paint("dim", "--")
        shown = True
        for place, record in enumerate(found["records"]):
            here = place == found["at"]
            yield f"{paint('accent', '>') if here else ' '} {record_line(record, mark)}"


def compared(client: Client, asked: Asked, releases: Sequence[int], *, path: str) -> Iterator[str]:
    """Patterns that are new in the second release, the most frequent first."""
    before, after = releases
    bounds = {name: text for name, text in told(asked).items() if name in ("since", "until")}
    wanted = {**bounds, "query": asked.query or None, "before": before, "after": after}
    found = client.get(path, **wanted)
    if asked.json:
        yield from map(json.dumps, found["patterns"])
        return
    if not found["patterns"]:
        yield f"Release {after} has no error pattern that release {before} did not have."
    else:
        yield from table([_row(each) for each in found["patterns"]], head=("count", "pattern"))
    if found["cut"]:
        yield remark(found["cut"])


def _row(pattern: dict[str, Any]) -> tuple[str, str]:
    return str(pattern["count"]), clean(str(pattern["pattern"]))
