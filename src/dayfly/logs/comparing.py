"""Two releases compared: which shapes of messages are new in the later one."""

from dataclasses import replace

from dayfly.logs.query import tree
from dayfly.logs.store.aggregate import Answer
from dayfly.logs.store.store import Ask, Store


def new_patterns(
    store: Store, where: tree.Node, *, before: int, after: int, ask: Ask, begin: int | None = None
) -> Answer:
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
    return replace(fresh, rows=rows, cut="; ".join(cuts))


def _of_release(where: tree.Node, release: int) -> tree.Node:
    return tree.And((tree.Compare("release", "=", release), where))
