"""Which words a row group may hold."""

from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.logs.query import tree
from dayfly.logs.query.tree import Query
from dayfly.logs.record import Record
from dayfly.logs.store import bloom
from dayfly.logs.store.store import Store
from dayfly.logs.store.words import hashed
from kept import QUIET, body_of

WORDS = {
    "a word": (tree.Word("Timeout"), {"timeout"}),
    "a phrase's inner words": (tree.Phrase("ection to db1 re"), {"to", "db1"}),
    "a field's text": (tree.Compare("trace", "=", "4bf9-a2"), {"4bf9", "a2"}),
    "every part of AND": (tree.And((tree.Word("a"), tree.Prefix("b"), tree.Word("c"))), {"a", "c"}),
    "nothing of what is unequal or negated": (
        tree.Or((tree.Not(tree.Word("a")), tree.Compare("b", "!=", "c"))),
        set(),
    ),
}


@pytest.mark.parametrize(("node", "words"), WORDS.values(), ids=WORDS)
def test_which_words_are_looked_up(node: tree.Node, words: set[str]) -> None:
    assert bloom.words_of(node) == words


TEXTS = {"message": pl.String, "s:a": pl.String}
LETTERS = st.text("abXY_12 -", max_size=20)
FOREIGN = st.text(max_size=20) | st.text("aZ_0 éßİK\u2126\0\x7f\n", max_size=20)
LONG = st.builds(str.__mul__, st.sampled_from(["a", "Xy1", "ab ", "é"]), st.integers(1, 400))


@given(st.lists(LETTERS | FOREIGN | LONG, min_size=1, max_size=20))
def test_a_filter_holds_every_word_of_its_texts(texts: list[str]) -> None:
    """Also when it lies between others, of which one is empty."""
    bits = bloom.built(pl.DataFrame({"message": texts, "s:a": None}, schema=TEXTS))
    other = bloom.built(pl.DataFrame({"message": ["other"]}))
    ends = [len(other), len(other), len(other) + len(bits), 2 * len(other) + len(bits)]
    filters = bloom.Filters.of(other + bits + other, list(pairwise([0, *ends])))
    for text in texts:
        for token in filter(str.isascii, bloom.tokens(text)):
            held = filters.hold(bloom.hash_of(token)).tolist()
            assert (held[1], held[2]) == (False, True)
    assert filters.hold(bloom.hash_of("other")).tolist()[::3] == [True, True]


def test_a_filter_holds_few_others() -> None:
    bits = bloom.built(pl.DataFrame({"message": [f"word{number}" for number in range(5000)]}))
    filters = bloom.Filters.of(bits, [(0, len(bits))])
    hashed = (bloom.hash_of(f"other{number}") for number in range(2000))
    wrong = sum(filters.hold(each).item() for each in hashed)

    assert wrong < 40


@given(st.lists(st.text("aB1_ ", max_size=40) | LONG, max_size=20))
def test_different_words_have_different_hashes(texts: list[str]) -> None:
    found = hashed(" ".join(texts).encode())
    words = {token for token in bloom.tokens(" ".join(texts)) if token.isascii()}

    assert set(found.tolist()) == {bloom.hash_of(word) for word in words}
    assert len(set(found.tolist())) == len(words)


def test_a_number_is_found_where_a_text_is_asked(tmp_path: Path) -> None:
    """Filters know texts only: where a field is also a number they are not asked."""
    kept = [
        Record(time=1, message="m", fields={"status": 500}),
        Record(time=0, message="m", fields={"status": "500"}),
    ]
    with Store(tmp_path, settings=QUIET) as store:
        store.append(body_of(kept))
        store.seal()

        assert list(store.search(Query(tree.Compare("status", "=", "500")))) == kept
