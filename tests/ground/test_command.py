import sys
import threading
import time

import pytest

from dayfly.clock import Stop
from dayfly.command import CommandError, output_of, run
from dayfly.errors import StoppedError


def test_lines_arrive_one_by_one_and_the_last_ones_are_kept() -> None:
    """Both streams of a program come as whole lines, the unfinished last one included."""
    seen: list[str] = []

    done = run(["sh", "-c", "echo one; echo two >&2; printf three"], on_line=seen.append)

    assert seen == ["one", "two", "three"]
    assert done.output == "one\ntwo\nthree"


def test_a_failure_names_the_program_and_shows_its_last_lines() -> None:
    with pytest.raises(CommandError, match="exit status 3") as caught:
        run(["sh", "-c", "echo no space; exit 3"])

    assert caught.value.status == 3
    assert caught.value.tail == "no space"


def test_a_program_that_does_not_exist_is_named() -> None:
    with pytest.raises(CommandError, match="nowhere-to-be-found: no such program"):
        output_of(["nowhere-to-be-found"])


def test_a_stop_ends_the_program_and_its_children() -> None:
    """Asking for a stop ends the whole process group, also children that ignore SIGTERM."""
    stop = Stop()
    threading.Timer(0.3, stop.request, ["enough"]).start()
    started = time.monotonic()

    with pytest.raises(StoppedError, match="enough"):
        run(["sh", "-c", "(trap '' TERM; sleep 60) & sleep 60"], stop=stop)

    assert time.monotonic() - started < 20


def test_a_program_that_takes_too_long_is_ended() -> None:
    with pytest.raises(CommandError, match=r"not done within 0\.3 s"):
        run([sys.executable, "-c", "import time; time.sleep(60)"], seconds=0.3)


def test_a_daemon_that_keeps_the_pipe_does_not_keep_us() -> None:
    """A background child of the program that holds its output open is not waited for."""
    started = time.monotonic()

    run(["sh", "-c", "sleep 30 & echo done"])

    assert time.monotonic() - started < 10
