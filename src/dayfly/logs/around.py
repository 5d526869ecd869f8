"""The lines around a record: those of the same stream before and after it."""

from dataclasses import dataclass, replace

from dayfly.logs.query import tree
from dayfly.logs.record import STREAM, Record, digest_of
from dayfly.logs.store.store import Ask, Store

MOST_AT_ONCE = 1000  # records of the very same nanosecond


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a record stands. Records of one nanosecond are told apart by their message."""

    time: int
    app: str = ""
    release: int = 0
    machine: str = ""
    host: str = ""
    stream: str = ""
    message: str | None = None
    digest: str | None = None  # of the message, which may be too long to be told

    @property
    def where(self) -> tree.Node:
        return tree.And(tuple(map(self._same, STREAM)))

    def is_of(self, record: Record) -> bool:
        """Of a record of this time and stream."""
        told = self.digest in (None, "") or digest_of(record.message) == self.digest
        return told and self.message in (None, record.message)

    def _same(self, name: str) -> tree.Node:
        """What nobody told is not there."""
        value = getattr(self, name)
        return tree.Compare(name, "=", value) if value else tree.Not(tree.Exists(name))


@dataclass(frozen=True, kw_only=True)
class Around:
    """In order of time. `at` is where the record itself is, None when it is not there."""

    records: list[Record]
    at: int | None
    cut: str = ""


def around(store: Store, place: Place, *, before: int, after: int, ask: Ask) -> Around:
    query = tree.Query(place.where)
    cuts: list[str] = []

    def found(bounds: Ask, limit: int, *, newest_first: bool) -> list[Record]:
        if not limit:
            return []
        records = store.search(query, limit=limit, newest_first=newest_first, ask=bounds)
        listed = list(records)
        cuts.extend([records.cut] if records.cut else [])
        return listed

    same = found(
        replace(ask, since=place.time, until=place.time + 1), MOST_AT_ONCE, newest_first=False
    )
    at = next((n for n, each in enumerate(same) if place.is_of(each)), None)
    middle = len(same) if at is None else at
    ahead, behind = same[max(0, middle - before) : middle], same[middle + 1 : middle + 1 + after]
    earlier = found(replace(ask, until=place.time), before - len(ahead), newest_first=True)
    later = found(replace(ask, since=place.time + 1), after - len(behind), newest_first=False)
    return Around(
        records=[*reversed(earlier), *ahead, *same[middle : middle + 1], *behind, *later],
        at=None if at is None else len(earlier) + len(ahead),
        cut="; ".join(dict.fromkeys(cuts)),
    )
