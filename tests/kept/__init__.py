"""Records on their way into a store, and a store in every state at once."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dayfly.logs.query.tree import Query
from dayfly.logs.record import Record
from dayfly.logs.store.settings import Settings
from dayfly.logs.store.store import Store

QUIET = Settings(rounds=False, rows=10**6, reserve=0)  # nothing happens by itself
TEXTS = ("app", "machine", "host", "process", "stream", "level")


def body_of(records: Sequence[Record]) -> bytes:
    return b"".join(line_of(record) for record in records)


def line_of(record: Record) -> bytes:
    told = {name: getattr(record, name) for name in TEXTS}
    line = {"time": record.time, "message": record.message, "release": record.release, **told}
    return json.dumps({**line, "fields": dict(record.fields)}).encode() + b"\n"


def numbered(numbers: range, *, app: str = "orders", begin: int = 0) -> bytes:
    """Records whose messages count on, a millisecond apart."""
    return body_of(
        [
            Record(time=begin + number * 10**6, message=f"line {number} of many", app=app)
            for number in numbers
        ]
    )


def everything(store: Store) -> list[str]:
    """All messages, newest first."""
    return [record.message for record in store.search(Query(), limit=10**6)]


@contextmanager
def mixed(folder: Path, records: Sequence[Record]) -> Iterator[Store]:
    """A store whose records are merged, sealed, replayed and new, a quarter each."""
    quarter = -(-len(records) // 4) or 1
    lots = [records[begin : begin + quarter] for begin in range(0, len(records), quarter)]
    with Store(folder, settings=replace(QUIET, small=2)) as store:
        for lot in lots[:2]:
            for half in (lot[::2], lot[1::2]):
                store.append(body_of(half))
            store.seal()
        while store.compact():
            pass
    with Store(folder, settings=QUIET) as store:
        for lot in lots[2:3]:
            store.append(body_of(lot))
            store.seal()
    with Store(folder, settings=QUIET) as store:
        for lot in lots[3:]:
            store.append(body_of(lot))
        yield store
