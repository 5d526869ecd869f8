"""A store answers as the plain meaning of a query does, whatever state its records are in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dayfly.logs.query import tree
from dayfly.logs.query.meaning import matches, text_of, value_of
from dayfly.logs.query.rows import Row, rows
from dayfly.logs.record import Record
from dayfly.logs.store.store import Ask, Store
from dayfly.logs.store.wanted import Wanted
from drawn import NAMES, nodes, pipes, records
from kept import QUIET, body_of, mixed

ODD = "kK\u212aiI\u0130\u0131sS\u017f\u00df\u03a3\u03c3\u03c2xX_1 .-\n\u00e9\u00c9\u0307"
odd_texts = st.text(ODD, max_size=6)
odd_records = st.builds(
    Record,
    time=st.integers(0, 3),
    message=odd_texts,
    fields=st.fixed_dictionaries({"a": odd_texts}),
)
odd_nodes = st.one_of(
    st.builds(tree.Word, odd_texts),
    st.builds(tree.Prefix, odd_texts),
    st.builds(tree.Phrase, odd_texts),
    st.builds(tree.Compare, st.just("a"), st.sampled_from(("=", "<")), odd_texts),
)
negated = odd_nodes | odd_nodes.map(tree.Not)


def key(record: Record) -> str:
    fields = sorted((name, repr(value)) for name, value in record.fields.items())
    return repr((record.time, record.message, record.app, record.release, record.level, fields))


@settings(max_examples=40, deadline=None)
@given(st.lists(records, max_size=24), nodes)
def test_finds_what_a_plain_scan_finds(kept: list[Record], where: tree.Node) -> None:
    wanted = [record for record in kept if matches(where, record)]
    with TemporaryDirectory() as folder, mixed(Path(folder), kept) as store:
        found = list(store.search(tree.Query(where), limit=100))
        oldest = list(store.search(tree.Query(where), limit=100, newest_first=False))

    assert sorted(map(key, found)) == sorted(map(key, wanted))
    assert sorted(map(key, oldest)) == sorted(map(key, wanted))
    times = [record.time for record in found]
    assert times == sorted(times, reverse=True)
    assert [record.time for record in oldest] == times[::-1]


@settings(max_examples=40, deadline=None)
@given(st.lists(odd_records, min_size=1, max_size=12), negated)
@example([Record(time=0, message="\u0130x", fields={"a": ""})], tree.Phrase("i"))
@example([Record(time=0, message="\u0130x", fields={"a": ""})], tree.Prefix("i"))
def test_letters_of_other_languages_make_no_difference(
    kept: list[Record], where: tree.Node
) -> None:
    wanted = [record for record in kept if matches(where, record)]
    with TemporaryDirectory() as folder, mixed(Path(folder), kept) as store:
        found = list(store.search(tree.Query(where), limit=100))

    assert sorted(map(key, found)) == sorted(map(key, wanted))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(records, max_size=24),
    nodes,
    pipes.filter(lambda pipe: not isinstance(pipe, tree.Select)),
)
def test_counts_what_a_plain_scan_counts(
    kept: list[Record], where: tree.Node, pipe: tree.Pipe
) -> None:
    wanted = rows(pipe, [record for record in kept if matches(where, record)])
    with TemporaryDirectory() as folder, mixed(Path(folder), kept) as store:
        found = store.aggregate(tree.Query(where, (pipe,)))

    assert texts(found.rows) == texts(wanted)
    assert not found.cut


@settings(max_examples=40, deadline=None)
@given(nodes, st.integers(-10, 10))
def test_a_time_that_is_demanded_narrows_however_deep_it_stands(
    inner: tree.Node, time: int
) -> None:
    """What lies outside is not even looked at."""
    between = tree.And((tree.Compare("time", ">=", time), tree.Compare("time", "<", time + 5)))
    narrowed = Wanted(where=tree.And((inner, tree.And((inner, between))))).narrowed()

    assert narrowed.since >= time
    assert narrowed.until <= time + 5


MINUTE = 60 * 10**9
by_minute = st.builds(
    Record,
    time=st.integers(-3 * MINUTE, 3 * MINUTE),
    message=st.just("m"),
    app=st.sampled_from(("", "web", "jobs")),
    level=st.sampled_from(("", "info", "error")),
)
of_names = st.builds(
    tree.Compare,
    st.sampled_from(("app", "level", "stream")),
    st.sampled_from(("=", "!=")),
    st.sampled_from(("web", "error")),
)
bounds = st.integers(-4, 4).map(lambda minute: minute * MINUTE) | st.integers(-(10**11), 10**11)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(by_minute, max_size=24),
    st.one_of(
        st.just(tree.Everything()),
        of_names,
        of_names.map(tree.Not),
        st.tuples(of_names, of_names).map(tree.Or),
    ),
    st.builds(
        tree.Count,
        st.sampled_from(((), ("level",), ("app", "level"), ("stream",))),
        st.sampled_from((None, 60.0, 120.0, 30.0)),
    ),
    bounds,
    bounds,
)
def test_what_summaries_tell_is_what_the_records_tell(
    kept: list[Record], where: tree.Node, pipe: tree.Count, since: int, until: int
) -> None:
    wanted = [r for r in kept if since <= r.time < until and matches(where, r)]
    with TemporaryDirectory() as folder, mixed(Path(folder), kept) as store:
        found = store.aggregate(tree.Query(where, (pipe,)), ask=Ask(since=since, until=until))

    assert texts(found.rows) == texts(rows(pipe, wanted))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(records, max_size=24), nodes, st.lists(st.sampled_from(NAMES), min_size=1, unique=True)
)
def test_facets_count_what_a_plain_scan_counts(
    kept: list[Record], where: tree.Node, asked: list[str]
) -> None:
    wanted = [record for record in kept if matches(where, record)]
    with TemporaryDirectory() as folder, mixed(Path(folder), kept) as store:
        found = store.facets(where, asked, size=100)

    assert found.total == len(wanted)
    for facet in found.facets:
        values = [value_of(record, facet.name) for record in wanted]
        told = Counter(number(text_of(value)) for value in values if value is not None)
        got: Counter[str] = Counter()
        for value, count in facet.values:
            got[number(text_of(value))] += count
        assert (got, facet.having) == (told, told.total())


def texts(table: Sequence[Row]) -> list[dict[str, str | None]]:
    """1 and "1" are one group; which of them is shown is not promised."""
    return [
        {name: None if value is None else number(text_of(value)) for name, value in row.items()}
        for row in table
    ]


def number(text: str) -> str:
    return text.removesuffix(".0")


@settings(max_examples=20, deadline=None)
@given(
    st.lists(records, max_size=24),
    nodes,
    st.integers(1, 5),
    st.integers(-10, 10),
    st.integers(0, 60),
)
def test_the_newest_of_a_stretch(
    kept: list[Record], where: tree.Node, limit: int, since: int, seconds: int
) -> None:
    until = since + seconds * 10**9
    inside = [r.time for r in kept if since <= r.time < until and matches(where, r)]
    with TemporaryDirectory() as folder, mixed(Path(folder), kept) as store:
        ask = Ask(since=since, until=until)
        found = list(store.search(tree.Query(where), limit=limit, ask=ask))

    assert [record.time for record in found] == sorted(inside, reverse=True)[:limit]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=9), min_size=1, max_size=12))
def test_of_the_same_time_what_came_first_is_first(batches: list[list[int]]) -> None:
    """However often somebody has asked between: each question makes columns of what is there."""
    came = [Record(time=time, message="m") for batch in batches for time in batch]
    came = [replace(one, fields={"n": number}) for number, one in enumerate(came)]
    rest = iter(came)
    with TemporaryDirectory() as folder, Store(Path(folder), settings=QUIET) as store:
        for batch in batches:
            store.append(body_of(list(islice(rest, len(batch)))))
            list(store.search(tree.Query(), limit=1))
        oldest = list(store.search(tree.Query(), limit=1000, newest_first=False))
        found = list(store.search(tree.Query(), limit=1000))

    assert [one.fields["n"] for one in oldest] == [
        one.fields["n"] for one in sorted(came, key=lambda one: one.time)
    ]
    assert found == oldest[::-1]


ENDS = (-(2**63), 2**63 - 1)


@pytest.mark.parametrize("op", ["=", "!=", ">", ">=", "<", "<="])
@pytest.mark.parametrize("value", [-(2**63) - 1, *ENDS, 0, 5, 2**63, 0.5])
def test_times_of_a_query_narrow_where_it_looks_and_nothing_else(
    tmp_path: Path, op: tree.Operator, value: float
) -> None:
    kept = [Record(time=time, message="m") for time in (*ENDS, -1, 0, 1, 5, 6, 10**18)]
    where = tree.And((tree.Compare("time", op, value), tree.Word("m")))
    with mixed(tmp_path, kept) as store:
        found = [record.time for record in store.search(tree.Query(where))]

    wanted = [record.time for record in kept if matches(where, record)]
    assert found == sorted(wanted, reverse=True)
