"""Two releases compared: which shapes of messages are new in the later one."""

from dataclasses import dataclass, replace
from typing import Any

from dayfly.logs.query import tree
from dayfly.logs.store.store import Ask, Store


@dataclass(frozen=True, kw_only=True)
class Compared:
    """`nothing_of` are releases without any record in their time: nothing is said of them."""

    rows: list[dict[str, Any]]
    nothing_of: list[int]
    cut: str


def new_patterns(
    store: Store, where: tree.Node, *, before: int, after: int, ask: Ask, begin: int | None = None
) -> Compared:
    """The patterns of release `after` that release `before` never had, the most frequent first.

    `begin` is from when on `after` is looked at, where that is not the begin of all.
    """
    asks = {before: ask, after: ask if begin is None else replace(ask, since=begin)}
    known, fresh = (
        store.aggregate(
            tree.Query(_of_release(where, release), (tree.Patterns(),)), ask=asks[release]
        )
        for release in (before, after)
    )
    seen = {row["pattern"] for row in known.rows}
    cuts = [
        f"release {release}: {answer.cut}"
        for release, answer in ((before, known), (after, fresh))
        if answer.cut
    ]
    rows = [row for row in fresh.rows if row["pattern"] not in seen]
    found = {before: known, after: fresh}
    nothing_of = [
        release
        for release, answer in found.items()
        if not answer.rows and _is_unknown(store, release, asks[release])
    ]
    return Compared(rows=rows, nothing_of=nothing_of, cut="; ".join(cuts))


def _is_unknown(store: Store, release: int, ask: Ask) -> bool:
    """Whether there is no record of it; one that was not looked for long enough may be there."""
    found = store.search(tree.Query(_of_release(tree.Everything(), release)), limit=1, ask=ask)
    return next(found, None) is None and not found.cut


def _of_release(where: tree.Node, release: int) -> tree.Node:
    return tree.And((tree.Compare("release", "=", release), where))
