"""What stands beside a search: lines around a record, and two releases compared."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from dayfly.cli.output import clean, paint, table
from dayfly.cli.records import Mark, marker, record_line
from dayfly.cli.searching import Asked, Remark, remark, row_of, told
from dayfly.client import Client
from dayfly.errors import DayflyError
from dayfly.logs.notice import noticed
from dayfly.logs.query.parse import parse
from dayfly.logs.record import STREAM, digest_of

Row = dict[str, Any]


def surrounded(client: Client, asked: Asked, lines: int, *, prefix: str) -> Iterator[str]:
    """Each record that is found between its neighbours of the same stream, oldest first."""
    query = parse(asked.query)
    if query.pipes:
        raise DayflyError("Only records have lines around.", hint="Leave out the `|`.")
    mark, first = marker(query), True
    for found in _each(client, asked, lines, prefix):
        if isinstance(found, Remark):
            yield found
        elif asked.json:
            yield json.dumps(found)
        else:
            yield from () if first else (paint("dim", "--"),)
            first = False
            yield from _shown(found, mark)


def _each(client: Client, asked: Asked, lines: int, prefix: str) -> Iterator[Remark | Row]:
    cuts = {""}
    for line in client.lines(f"{prefix}/search", **told(asked)):
        row = row_of(line)
        if said := noticed(row):
            yield remark(said["cut"])
            continue
        try:
            found = _neighbours(client, row, lines, prefix)
        except DayflyError as error:  # one that can't be had does not end the others
            yield remark(f"The lines around the record of {row['time']}: {error.message}")
            found = {"records": [row], "at": 0, "cut": ""}
        if found["cut"] not in cuts:
            yield remark(found["cut"])
            cuts.add(found["cut"])
        yield found


def _shown(found: Row, mark: Mark) -> Iterator[str]:
    for place, record in enumerate(found["records"]):
        here = place == found["at"]
        yield f"{paint('accent', '>') if here else ' '} {record_line(record, mark)}"


def _neighbours(client: Client, row: Row, lines: int, prefix: str) -> Row:
    stands = {name: row[name] or None for name in ("time", *STREAM)}
    digest = digest_of(row["message"])
    where = f"{prefix}/context"
    found: Row = client.get(where, **stands, digest=digest, before=lines, after=lines)
    return found


def compared(client: Client, asked: Asked, releases: Sequence[int], *, path: str) -> Iterator[str]:
    """Patterns that are new in the second release, the most frequent first."""
    before, after = releases
    bounds = {name: text for name, text in told(asked).items() if name in ("since", "until")}
    wanted = {**bounds, "query": asked.query or None, "before": before, "after": after}
    found = client.get(path, **wanted)
    for release in found["nothing_of"]:
        yield remark(f"No record of release {release} was found: nothing can be said of it.")
    if asked.json:
        yield from map(json.dumps, found["patterns"])
        return
    if found["patterns"]:
        yield from table([_row(each) for each in found["patterns"]], head=("count", "pattern"))
    elif not found["nothing_of"]:
        yield f"Release {after} has no error pattern that release {before} did not have."
    if found["cut"]:
        yield remark(found["cut"])


def _row(pattern: dict[str, Any]) -> tuple[str, str]:
    return str(pattern["count"]), clean(str(pattern["pattern"]))
