"""What the logs page decides by itself: addresses, narrowed queries, bars, rows."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dayfly.console.logs.bars import HEIGHT, bars
from dayfly.console.logs.completing import Wanted, before, wanted
from dayfly.console.logs.narrowing import condition, excluded, included, piped, without_pipe
from dayfly.console.logs.records import marker
from dayfly.console.logs.shapes import of_shape
from dayfly.console.logs.view import View
from dayfly.logs.query.meaning import matches
from dayfly.logs.query.parse import parse
from dayfly.logs.query.shape import shape
from dayfly.logs.record import Record
from dayfly.shown import plain

TEXT = st.text(max_size=60)


@given(query=TEXT, since=TEXT, until=TEXT, before=st.integers(0, 2**63 - 1), skip=st.integers(0, 9))
def test_an_address_holds_the_view(
    query: str, since: str, until: str, before: int, skip: int
) -> None:
    view = View(
        query=query.strip(), since=since.strip(), until=until.strip(), before=before, skip=skip
    )
    told = dict(parse_qsl(urlsplit(view.address()).query, keep_blank_values=True))

    assert View.of(told) == view


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("app:", ""),
        ("level:error app:we", "level:error"),
        ('level:error "no route" app:"we', 'level:error "no route"'),
        ("level:error NOT app:", ""),  # no query yet: all values are offered
        ("level:error (app:", ""),
        ("a OR app:", ""),
    ],
)
def test_values_fit_the_conditions_before_them(text: str, conditions: str) -> None:
    asked = wanted(text)

    assert asked is not None
    assert before(text, asked) == conditions


@pytest.mark.parametrize("told", ["x", "-1", "1e9", "²", "9" * 40, ""])
def test_a_made_up_place_is_the_newest(told: str) -> None:
    assert View.of({"before": told, "skip": told}) == View()


@pytest.mark.parametrize(
    ("query", "wanted", "narrowed"),
    [
        ("", "app:web", "app:web"),
        ("*", "app:web", "app:web"),
        ("timeout", "app:web", "timeout app:web"),
        ("a OR b", "app:web", "(a OR b) app:web"),
        ("app:web x", "app:web", "x app:web"),
        ("NOT app:web x", "app:web", "x app:web"),
        ("x | count() by app", "app:web", "x app:web | count() by app"),
        ("x", "NOT app:*", "x NOT app:*"),
        ("x app:*", "NOT app:*", "x NOT app:*"),
    ],
)
def test_a_value_is_included(query: str, wanted: str, narrowed: str) -> None:
    assert included(query, wanted) == narrowed


@pytest.mark.parametrize(
    ("query", "unwanted", "narrowed"),
    [
        ("", "app:web", "NOT app:web"),
        ("app:web", "app:web", "NOT app:web"),
        ("a OR b", "app:web", "(a OR b) NOT app:web"),
        ("x", "NOT app:*", "x app:*"),
    ],
)
def test_a_value_is_excluded(query: str, unwanted: str, narrowed: str) -> None:
    assert excluded(query, unwanted) == narrowed


def test_pipes_come_and_go() -> None:
    assert without_pipe("a OR b | count()") == "a OR b"
    assert piped("a OR b | count()", "patterns") == "a OR b | patterns"
    assert piped("", "patterns") == "| patterns"


@given(
    name=st.text(min_size=1, max_size=20),
    value=TEXT | st.integers(-(2**53), 2**53) | st.booleans() | st.floats(-1e9, 1e9),
)
def test_a_condition_finds_its_record(name: str, value: str | float) -> None:
    """Where a page would show it with other characters there is none."""
    written = condition(name, value)
    if not written:
        assert name in ("time", "message") or plain(f"{name}{value}") != f"{name}{value}"
        return
    fields = {} if name in vars(Record(time=0, message="")) else {name: value}
    if fields and value != "":
        assert matches(parse(written).where, Record(time=0, message="", fields=fields))
    assert parse(without_pipe(written)) == parse(written)


@settings(max_examples=40)
@given(st.text(max_size=200), st.text(alphabet="ab \x1b\ue000\ue001", max_size=9))
def test_marks_change_no_text(message: str, more: str) -> None:
    pieces = marker(parse("a b* /c/").where)(message + more)

    shown = plain(message + more).replace("\ue000", "").replace("\ue001", "")
    assert "".join(piece.text for piece in pieces) == shown


def test_bars_stay_within_their_box_and_span_all_of_the_time() -> None:
    made = bars(
        {
            "since": "2026-11-01T00:00:03Z",
            "until": "2026-11-01T00:00:59.5Z",
            "seconds": 5.0,
            "bars": [
                {"time": "2026-11-01T00:00:00Z", "count": 1, "levels": {"error": 1}},
                {
                    "time": "2026-11-01T00:00:55Z",
                    "count": 9999,
                    "levels": {"critical": 1, "": 1, "debug": 1, "odd <b>": 1, "info": 9995},
                },
            ],
            "cut": "",
        },
        View(query="x"),
    )
    assert made
    assert len(made.slots) == 12
    assert made.slots[-1].left + made.slots[-1].width == pytest.approx(100)
    assert all(
        block.y >= 0 and block.y + block.height <= HEIGHT and block.height > 0
        for slot in made.slots
        for block in slot.blocks
    )
    assert made.slots[0].address.endswith(
        "query=x&since=2026-11-01T00%3A00%3A00Z&until=2026-11-01T00%3A00%3A05Z"
    )
    assert dict(made.levels)["other"] == 1


@pytest.mark.parametrize("seconds", [0.001, 1.0, 86_400.0])
def test_an_answer_that_lies_draws_no_endless_bars(seconds: float) -> None:
    lying = {
        "since": "1970-01-01T00:00:00Z",
        "until": "2026-11-01T00:00:00Z",
        "seconds": seconds,
        "bars": [{"time": "2026-10-01T00:00:00Z", "count": 1, "levels": {}}],
        "cut": "",
    }
    made = bars(lying, View())
    assert made
    assert len(made.slots) <= 61


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", None),
        ("ap", Wanted(kind="fields", at=0, name="", start="ap")),
        ("a -ap", Wanted(kind="fields", at=3, name="", start="ap")),
        ("x (ap", Wanted(kind="fields", at=3, name="", start="ap")),
        ("é😀 ap", Wanted(kind="fields", at=3, name="", start="ap")),
        ("app:", Wanted(kind="values", at=0, name="app", start="")),
        ('x app:"or', Wanted(kind="values", at=2, name="app", start="or")),
        ('"x y" app:or', Wanted(kind="values", at=6, name="app", start="or")),
        ('"x app:or', None),
        ('x "ap', None),
        (r'"a \" ap', None),
        ("time:2026", None),
        ("status:>5", None),
        ("path:~/a", None),
        ("x |", Wanted(kind="pipes", at=3, name="", start="")),
        ("x | co", Wanted(kind="pipes", at=4, name="", start="co")),
        ("x | count() by ap", Wanted(kind="fields", at=15, name="", start="ap")),
    ],
)
def test_what_may_be_offered(text: str, found: Wanted | None) -> None:
    assert wanted(text) == found


@given(TEXT)
def test_any_text_may_be_typed(text: str) -> None:
    found = wanted(text)
    assert found is None or 0 <= found.at <= len(text)


@settings(max_examples=40)
@given(
    st.lists(
        st.sampled_from(
            [
                "a.b",
                "(",
                " ",
                "\n",
                "17",
                "/",
                '"',
                "[x]",
                "10.0.0.1",
                "37f336af9e ",
                "::1 ",
                "1h2.5µs ",
            ]
        )
    )
)
def test_a_shape_finds_its_message(parts: list[str]) -> None:
    message = "".join(parts)
    record = Record(time=0, message=message, app="web")
    assert not message or matches(parse(of_shape("app:web", shape(message))).where, record)
    assert not message.strip() or not matches(
        parse(of_shape("", shape(message))).where, Record(time=0, message=f"other {message}")
    )


def test_a_shape_too_long_for_a_pattern_is_told_by_its_longest_part() -> None:
    query = of_shape("", shape("17 " + "x " * 400 + "18"))
    assert matches(parse(query).where, Record(time=0, message="99 " + "x " * 400 + "1"))
