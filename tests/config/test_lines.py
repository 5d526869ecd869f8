import pytest

from dayfly.config.lines import lines_of

TEXT = '''# a comment
app = "orders"
steps = [
  "one",
  "two",   # with [brackets] = 1
]

env = { A = "1", B = "2" }
text = """
[not.a.header]
key = 1
"""
[process.web] # comment
run = "x"
"odd key" = 1
health.path = "/"

[ "process" . "a.b" ]
run = "y"
[[list]]
x = 1
[[list]]
x = 2
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("app",), 2),
        (("steps",), 3),
        (("steps", 1), 3),
        (("env", "B"), 8),
        (("text",), 9),
        (("process",), 13),
        (("process", "web"), 13),
        (("process", "web", "run"), 14),
        (("process", "web", "odd key"), 15),
        (("process", "web", "health", "path"), 16),
        (("process", "a.b"), 18),
        (("process", "a.b", "run"), 19),
        (("list", 0, "x"), 21),
        (("list", 1), 22),
        (("list", 1, "x"), 23),
    ],
)
def test_the_line_of_a_key(path: tuple[str | int, ...], line: int) -> None:
    assert lines_of(TEXT)[path] == line


def test_what_only_looks_like_a_key_has_no_line() -> None:
    assert not {("not",), ("key",), ("brackets",)} & lines_of(TEXT).keys()


def test_after_a_very_long_value_lines_are_unknown() -> None:
    assert lines_of("a = 1\nb = [\n" + "1,\n" * 5000 + "]\nc = 1\n") == {("a",): 1}
