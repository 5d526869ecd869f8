import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.cli import needs
from dayfly.cli.needs import Facts
from dayfly.cli.output import clean, cleaned, error, paint, table, width

# Signs that are written before numbers, and count as marks of format
SEEN = {chr(n) for n in (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD)}
SEEN |= {chr(n) for n in range(0x13430, 0x13440)}


@given(st.text(alphabet=st.characters(categories=("Cc", "Cf", "L", "N", "P"))))
def test_cleaned_text_has_nothing_that_acts_on_a_terminal(text: str) -> None:
    left = clean(text)

    assert not any(unicodedata.category(char) == "Cc" for char in left)
    assert not any(unicodedata.category(char) == "Cf" for char in left if char not in SEEN)


@given(st.text("ab ;\x1b]P_^X\\\x07"), st.text("cde", min_size=1))
def test_nothing_hides_what_follows(before: str, after: str) -> None:
    """But for the one letter that an escape takes with it."""
    assert clean(f"{before}{after}").endswith(after[1:])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07rest", "0;titlerest"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "8;;http://evillink8;;"),
        ("user \x1b]0; from 10.0.0.1 was \x07refused", "user 0; from 10.0.0.1 was refused"),
        ("\x1bP1;1|rest", "1;1|rest"),
        ("\x1b_rest \x1b^of \x1bXit", "rest of it"),
        ("rest\x1b", "rest"),
        ("a\x1b\u6f22", "a\u6f22"),
        ("\x1b(Brest", "rest"),
        ("ad\u200bm\u200din\u00ad", "admin"),
        ("\u2060pay\U000e0041load\ufe0f\u3164", "payload"),
        ("a\r\nb", "a b"),
        ("50%\t100%", "50% 100%"),
        ("\x1bcreset", "reset"),
        ("\x9b31mred", "31mred"),
        ("Grüße 漢字", "Grüße 漢字"),
    ],
)
def test_clean(text: str, left: str) -> None:
    assert clean(text) == left


def test_each_problem_stands_on_its_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    error("x.toml:1: a: found \x1b[2J5\nx.toml:2: b: missing", "Read on.\nThere.")

    assert capsys.readouterr().err.splitlines() == [
        "Error: x.toml:1: a: found 5",
        "  x.toml:2: b: missing",
        "  Read on.",
        "  There.",
    ]


def test_every_text_of_a_value_is_cleaned() -> None:
    assert cleaned({"a\x07": ["\x1b[2J", {"b": 1}]}) == {"a": ["", {"b": 1}]}


def test_columns_align_whatever_is_in_them() -> None:
    rows = [("漢字", paint("good", "9"), "x"), ("ab", "10", "y")]

    lines = table(rows, head=("name", "n", "z"))
    assert [width(line) for line in lines] == [11, 11, 11]
    assert lines[2].split() == ["ab", "10", "y"]


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        (Facts(runtime="process"), ["haproxy", "git", "python venv"]),
        (Facts(runtime="process", haproxy="h", git="g", venv="v"), []),
        (Facts(runtime="docker", haproxy="h", git="g"), ["docker", "docker engine"]),
        (Facts(runtime="docker", haproxy="h", git="g", docker="d", docker_socket="s"), []),
        (
            Facts(runtime="process", haproxy="h", git="g", venv="v", tunnel=True),
            ["strongswan", "nft"],
        ),
    ],
)
def test_what_an_environment_lacks_depends_on_its_runtime(facts: Facts, missing: list[str]) -> None:
    findings = needs.findings(facts)

    assert [finding.name for finding in findings if finding.missing] == missing
    assert all(finding.get and finding.why for finding in findings)
    assert ("Missing" in needs.lines(findings)[-1]) is bool(missing)
