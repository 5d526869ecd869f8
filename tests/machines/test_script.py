import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dayfly.machines.script import script_of


@pytest.mark.parametrize(
    ("run", "text"),
    [
        ("gunicorn app --bind 0.0.0.0:$PORT", "exec gunicorn app --bind 0.0.0.0:$PORT"),
        ("  ./start", "  exec ./start"),
        ("exec ./start", "exec ./start"),
        ("A=1 B='x y' ./start", "A=1 B='x y' exec ./start"),
        ("sh -c 'a; b | c'", "exec sh -c 'a; b | c'"),
        ("python -c 'a\nb'", "exec python -c 'a\nb'"),
        ('printer "$(date; id)"', 'exec printer "$(date; id)"'),
    ],
)
def test_one_plain_command_takes_the_shells_place(run: str, text: str) -> None:
    assert script_of(run).text == text
    assert script_of(run).alone


@pytest.mark.parametrize(
    "run",
    [
        "cd app && ./start",
        "./prepare; ./start",
        "./prepare\n./start",
        "./start | tee x",
        "./start > x",
        "(./start)",
        "./start & wait",
        "while true; do ./start; done",
        "exit 3",
        "A=1",
        "./start 'open",
        "",
    ],
)
def test_with_anything_more_the_shell_stays(run: str) -> None:
    assert script_of(run).text == f"trap 'exit 143' TERM\n{run}"
    assert not script_of(run).alone


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), max_size=4))
def test_the_shell_understands_the_same(words: list[str]) -> None:
    """Whatever the arguments are, the command gets them as it would have without us."""
    run = shlex.join(["/usr/bin/printf", "[%s]", *words])
    assert _output(script_of(run).text) == _output(run)


def _output(script: str) -> bytes:
    return subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout
