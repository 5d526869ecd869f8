import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.logs.query.parse import parse
from dayfly.logs.query.problem import QueryError
from dayfly.logs.query.tree import (
    And,
    Compare,
    Count,
    Everything,
    Exists,
    Matches,
    Not,
    Or,
    Patterns,
    Percentile,
    Phrase,
    Prefix,
    Query,
    Regex,
    Select,
    Starts,
    Top,
    Word,
)
from dayfly.logs.query.written import text
from drawn import queries

A, B, C = Word("a"), Word("b"), Word("c")
DAY = 86_400 * 10**9
FIRST_OF_NOVEMBER = 20_758 * DAY

CONDITIONS = {
    "": Everything(),
    "*": Everything(),
    "timeout": Word("timeout"),
    "refund*": Prefix("refund"),
    '"exact phrase"': Phrase("exact phrase"),
    '"one"': Phrase("one"),
    "10.0.0.1": Phrase("10.0.0.1"),
    "status=500": Phrase("status=500"),
    "https://example.com/a?b=c": Phrase("https://example.com/a?b=c"),
    "12:30": Phrase("12:30"),
    r"what\?\(\)\"\*": Phrase('what?()"*'),
    r"\AND": Word("AND"),
    "and": Word("and"),
    "/time(d)? out/": Regex("time(d)? out"),
    r"/a\/b\d/": Regex(r"a/b\d"),
    "a b": And((A, B)),
    "a AND b": And((A, B)),
    "a b OR c": Or((And((A, B)), C)),
    "a OR b c": Or((A, And((B, C)))),
    "(a OR b) c": And((Or((A, B)), C)),
    "a (b c)": And((A, And((B, C)))),
    "NOT a b": And((Not(A), B)),
    "NOT (a b)": Not(And((A, B))),
    "-a": Not(A),
    "-(a OR b)": Not(Or((A, B))),
    "-app:x": Not(Compare("app", "=", "x")),
    "level:error": Compare("level", "=", "error"),
    "level:ERROR": Compare("level", "=", "error"),
    'level:"ERROR"': Compare("level", "=", "ERROR"),
    "level:(error OR critical)": Or(
        (Compare("level", "=", "error"), Compare("level", "=", "critical"))
    ),
    "level:>=error": Or((Compare("level", "=", "error"), Compare("level", "=", "critical"))),
    "level:<info": Compare("level", "=", "debug"),
    'path:(/a* OR /b/ OR "c d")': Or(
        (Starts("path", "/a"), Matches("path", "b"), Compare("path", "=", "c d"))
    ),
    "status:500": Compare("status", "=", 500),
    'status:"500"': Compare("status", "=", "500"),
    "status:!=500": Compare("status", "!=", 500),
    "status:>=500": Compare("status", ">=", 500),
    "status:500..599": And((Compare("status", ">=", 500), Compare("status", "<=", 599))),
    "version:1.10": Or((Compare("version", "=", 1.1), Compare("version", "=", "1.10"))),
    'version:>"2.0"': Compare("version", ">", "2.0"),
    "x:-1.5": Compare("x", "=", -1.5),
    "path:/health": Compare("path", "=", "/health"),
    "path:/a/../b": Compare("path", "=", "/a/../b"),
    "path:/a/b/": Compare("path", "=", "/a/b/"),
    "path:/api/": Matches("path", "api"),
    'path:"/api/"': Compare("path", "=", "/api/"),
    "path:~/a b/": Matches("path", "a b"),
    "path:/api/*": Starts("path", "/api/"),
    'path:"/my files/"*': Starts("path", "/my files/"),
    r"user:a\ b\:c": Compare("user", "=", "a b:c"),
    "user:*": Exists("user"),
    '"odd name":x': Compare("odd name", "=", "x"),
    "message:timeout": Word("timeout"),
    'message:="timed out"': Compare("message", "=", "timed out"),
    "message:(a OR b*)": Or((A, Prefix("b"))),
    "time:>2026-11-01": Compare("time", ">", FIRST_OF_NOVEMBER),
    "time:2026-11-01": And(
        (Compare("time", ">=", FIRST_OF_NOVEMBER), Compare("time", "<", FIRST_OF_NOVEMBER + DAY))
    ),
    "time:2026-11-01..2026-11-02": And(
        (
            Compare("time", ">=", FIRST_OF_NOVEMBER),
            Compare("time", "<", FIRST_OF_NOVEMBER + 2 * DAY),
        )
    ),
    "time:<2026-11-01t00:00:00.5z": Compare("time", "<", FIRST_OF_NOVEMBER + 5 * 10**8),
    "time:<2026-11-01T01:00:00.5+01:00": Compare("time", "<", FIRST_OF_NOVEMBER + 5 * 10**8),
}
PIPES = {
    "count()": Count(),
    "count": Count(),
    "count() by app, 5m": Count(("app",), 300),
    "count() by 1h": Count((), 3600),
    "top 10 path": Top(10, "path"),
    "p99(duration) by release": Percentile(99, "duration", ("release",)),
    "p99.9(duration)": Percentile(99.9, "duration"),
    "patterns": Patterns(),
    'fields time, "odd name"': Select(("time", "odd name")),
}
# column, what was found, what is allowed
REFUSED = {
    "a )": (3, "found `)`", "allowed is `(` before it"),
    "(a": (1, "found `(` without an end", "`)`"),
    "a OR": (5, "found the end", "allowed is a word"),
    "OR a": (1, "found `OR`", "allowed is a word"),
    "a AND OR b": (7, "found `OR`", "allowed is a word"),
    "()": (2, "found `)`", "allowed is a word"),
    "- a": (2, "found a blank", "right after `-` a word"),
    "a* b*c": (6, "found `c`", "`*` at the end of a word only; write a /regex/"),
    "*fault": (2, "found `fault`", "/regex/"),
    "10.0.*": (6, "found `*` after more than one word", "/regex/"),
    '"abc': (1, 'found `"` without an end', "closes it"),
    r'"a\d"': (3, r"found `\d`", r"`\n`"),
    r"C:\temp": (3, r"found `\temp`", "no letter or digit"),
    '""': (1, "found nothing between the quotes", "allowed is a text"),
    'a"b"': (2, 'found `"b"`', "a blank before it"),
    "count(x)": (6, "found `(x)`", "quote the whole"),
    "/health": (1, "found `/` that begins no /regex/", "quote it"),
    "/a/b": (4, "found `b`", "a blank after a /regex/"),
    "/a(b/": (3, "this is no regular expression we know: unclosed group", ""),
    r"x /(a)\1/": (7, "backreferences are not supported", ""),
    "/(?=a)/": (2, "look-around", ""),
    "/(a{100}){100}/": (10, "multiply to more than 1000", ""),
    "ERROR: x": (7, "found a blank", "allowed is a value"),
    "status:>x": (9, "found `x` after `>`", "allowed is a number"),
    "status:500..x": (8, "found `500..x`", "from number to number"),
    "status:>50*": (11, "found `*` after `>`", "a whole value"),
    "level:>=errror": (9, "found `errror`", "allowed are debug, info, warning, error, critical"),
    "level:>critical": (8, "no level is > critical", "their order"),
    "level:(error critical)": (14, "found `critical)`", "OR or `)`"),
    "level:(": (8, "found the end", "allowed is a value"),
    "time:yesterday": (6, "found `yesterday` as a time", "2026-11-01T13:30"),
    "time:2026-13-01": (6, "found `2026-13-01` as a time", "2026-11-01"),
    "path:~x": (7, "found `x`", "a /regex/ after `~`"),
    "a | sum(x)": (5, "found `sum(x)`", "`count() by …`, `top 10 field`"),
    "a |": (4, "found the end", "`count() by …`"),
    "| count() by": (11, "found `by`", "names of fields"),
    "| count() by 5x": (14, "found `5x`", "allowed is a duration"),
    "| count() by 5m, 1h": (18, "found `1h`", "allowed is one duration"),
    "| count(x)": (9, "found `x)`", "count() counts records"),
    "| top path": (7, "found `path`", "as in `top 10 path`"),
    "| top 0 path": (7, "found `0`", "1 to 10000"),
    "| p101(x)": (3, "above 100", "p0 to p100"),
    "| p99 x": (6, "found a blank", "as in `p99(duration)`"),
    "| count() | patterns": (11, "found a second `|`", "allowed is one"),
    "| patterns x": (12, "found `x`", "`|` or the end"),
    "NOT " * 51 + "a": (201, "more than 50", ""),
    "a" * 10_001: (10_001, "a query of 10001 characters", "allowed are 10000"),
    " ".join(["/a/"] * 21): (82, "one more than 20", ""),
}


@pytest.mark.parametrize("written", CONDITIONS)
def test_what_is_written_means_what_the_page_says(written: str) -> None:
    assert parse(written) == Query(CONDITIONS[written])


@pytest.mark.parametrize("written", PIPES)
def test_a_pipe_says_what_to_make_of_the_records(written: str) -> None:
    assert parse(f"error | {written}") == Query(Word("error"), (PIPES[written],))
    assert parse(f"|{written} ") == Query(Everything(), (PIPES[written],))


@pytest.mark.parametrize("written", [*CONDITIONS, *(f"a | {pipe}" for pipe in PIPES)])
def test_what_was_parsed_prints_as_something_that_means_the_same(written: str) -> None:
    assert parse(text(parse(written))) == parse(written)


@pytest.mark.parametrize("written", REFUSED)
def test_a_wrong_query_is_refused_at_its_column(written: str) -> None:
    column, found, allowed = REFUSED[written]

    with pytest.raises(QueryError) as refused:
        parse(written)

    assert (refused.value.column, True) == (column, found in refused.value.says)
    assert allowed in refused.value.says


def test_a_person_sees_a_caret_under_the_column() -> None:
    with pytest.raises(QueryError) as refused:
        parse("größe:>=1 日本\tlevel:>=loud")

    assert refused.value.message.splitlines() == [
        "column 22: found `loud`, allowed are debug, info, warning, error, critical",
        "größe:>=1 日本 level:>=loud",
        "                       ^",
    ]


def test_of_a_long_query_a_person_sees_the_part_around_the_column() -> None:
    with pytest.raises(QueryError) as refused:
        parse("word " * 100 + "status:>x " + "word " * 100)

    _, line, caret = refused.value.message.splitlines()
    assert len(line) < 110
    assert line[len(caret) - 1 :].startswith("x word")


@given(queries)
def test_a_printed_query_parses_to_the_same_tree(query: Query) -> None:
    assert parse(text(query)) == query


@given(
    st.text()
    | st.lists(
        st.sampled_from(
            [
                '"',
                "a",
                ":",
                "/",
                "(",
                ")",
                " ",
                "*",
                "\\",
                "|",
                "OR",
                "time",
                "count",
                "by",
                "..",
                "5",
            ]
        ),
        max_size=12,
    ).map("".join)
)
def test_any_text_is_a_query_or_is_refused_within_its_columns(written: str) -> None:
    column, query = 1, Query()
    try:
        query = parse(written)
    except QueryError as error:
        column = error.column

    assert 1 <= column <= len(written) + 1
    assert parse(text(query)) == query
