"""Queries and records that hypothesis draws: from a small world, so that they often meet."""

import string

from hypothesis import strategies as st

from dayfly.clock import SECOND
from dayfly.logs.query import tree
from dayfly.logs.record import Record

NAMES = ("app", "release", "machine", "level", "path", "status", "odd name", "message")
TEXTS = (
    "orders",
    "web",
    "error",
    "Timeout",
    "AND",
    "/health",
    "/a/",
    "//b",
    "1.50",
    "",
    'q"\\\n*',
    "ß",
)
WORDS = ("timeout", "Order", "r3tried", "NOT", "größe", "user_id", "42", "é")
PATTERNS = ("o+", "(?i)TIME", r"\d{2}", "a b", "a/b", "^x|y$", r"\\", "[/]", "[^ ]é")
MOMENTS = (0, 1, 59 * SECOND, 1_793_836_800 * SECOND, -5, 2**62)

_words = st.sampled_from(WORDS) | st.text(string.ascii_letters + string.digits + "_", min_size=1)
_texts = st.sampled_from(TEXTS) | st.text(max_size=8)
_numbers = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
_values = _texts | st.sampled_from((0, 1, 41, 500, 1.5, -3)) | _numbers
_names = st.sampled_from(NAMES) | st.text(min_size=1, max_size=6).filter(
    lambda name: name != "time"
)
_operators = st.sampled_from(("=", "!=", ">", ">=", "<", "<="))
_times = st.builds(
    tree.Compare,
    st.just("time"),
    _operators,
    st.sampled_from(MOMENTS) | st.integers(-(2**63), 2**63),
)
_leaves = st.one_of(
    st.just(tree.Everything()),
    st.builds(tree.Word, _words),
    st.builds(tree.Prefix, _words),
    st.builds(tree.Phrase, _texts.filter(bool)),
    st.builds(tree.Regex, st.sampled_from(PATTERNS)),
    st.builds(tree.Compare, _names, _operators, _values),
    st.builds(tree.Starts, _names, _texts),
    st.builds(tree.Matches, _names, st.sampled_from(PATTERNS)),
    st.builds(tree.Exists, _names),
    _times,
)


def _inner(nodes: st.SearchStrategy[tree.Node]) -> st.SearchStrategy[tree.Node]:
    parts = st.lists(nodes, min_size=2, max_size=4).map(tuple)
    return st.builds(tree.And, parts) | st.builds(tree.Or, parts) | st.builds(tree.Not, nodes)


nodes: st.SearchStrategy[tree.Node] = st.recursive(_leaves, _inner, max_leaves=12)
_by = st.lists(_names, max_size=3).map(tuple)
pipes: st.SearchStrategy[tree.Pipe] = st.one_of(
    st.builds(tree.Count, _by, st.none() | st.integers(1, 10**9).map(lambda ms: ms / 1000)),
    st.builds(tree.Top, st.integers(1, 10_000), _names),
    st.builds(tree.Percentile, st.integers(0, 10**8).map(lambda n: n / 10**6), _names, _by),
    st.just(tree.Patterns()),
    st.builds(tree.Select, st.lists(_names, min_size=1, max_size=3).map(tuple)),
)
queries = st.builds(tree.Query, nodes, st.just(()) | st.tuples(pipes))

records = st.builds(
    Record,
    time=st.sampled_from(MOMENTS),
    message=st.lists(st.sampled_from((*WORDS, *TEXTS, "x", " ")), max_size=5).map(" ".join),
    app=st.sampled_from(("", "orders", "web")),
    release=st.sampled_from((0, 1, 41)),
    level=st.sampled_from(("", "error", "info")),
    fields=st.dictionaries(
        st.sampled_from(("path", "status", "odd name")),
        st.sampled_from((*TEXTS, 0, 41, 500, 1.5, True)),
    ),
)
