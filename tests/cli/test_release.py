import re
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from fake_server import FakeEnvironment
from fake_server.terminal import Screen, Terminal

TOLD = {"app": "orders", "commit": "3f2a1bc9d0", "subject": "Add a column", "who": "ada"}


def happens(environment: FakeEnvironment, *, outcome: str = "serving") -> None:
    """Release 2 is under way from its start to its outcome."""
    environment.journal.clear()
    environment.receipts[2] = {**environment.receipts[12], "release": 2, "outcome": outcome}
    environment.happen("release.started", 2, **TOLD)
    stage(environment, "build", 3.2)
    environment.happen("machine.launched", 2, machine="orders-2-web-1", process="web", address="a")
    if outcome != "serving":
        environment.happen(
            "machine.died", 2, machine="orders-2-web-1", reason="exit status 1",
            tail="Traceback\n\x1b[31mImportError: orders",
        )  # fmt: skip
        stage(environment, "verify", 1.0, "failed")
    environment.happen("release.finished", 2, outcome=outcome, reason="never healthy")


def stage(environment: FakeEnvironment, name: str, seconds: float, outcome: str = "done") -> None:
    environment.happen("stage.started", 2, stage=name)
    environment.happen("output", 2, source=name, line=f"some {name}")
    environment.happen("stage.finished", 2, stage=name, outcome=outcome, seconds=seconds)


def test_a_release_is_told_stage_by_stage_and_ends_with_its_receipt(
    terminal: Terminal, environment: FakeEnvironment, git: Callable[..., str]
) -> None:
    happens(environment)
    done = terminal.type("release")

    assert done.returncode == 0, done.stderr
    assert "release 2 of orders  3f2a1bc9d0 Add a column" in done.stdout
    assert re.search(r"build +3\.20 s  done", done.stdout)
    assert "lost 0 of 48,213 requests" in done.stdout
    assert "some build" not in done.stdout


def test_what_is_released_is_a_commit_that_the_server_was_sent(
    terminal: Terminal, environment: FakeEnvironment, git: Callable[..., str]
) -> None:
    happens(environment)
    terminal.type("release")

    asked = environment.asked[-1][-1]
    assert asked["commit"] == git("rev-parse", "HEAD")
    assert asked["app"] == "orders"
    assert environment.uploads[-1].startswith(b"# v2 git bundle")


def test_a_name_that_no_app_can_have_is_told_with_its_line(
    terminal: Terminal, git: Callable[..., str]
) -> None:
    (terminal.folder / "dayfly.toml").write_text('# ours\napp = "Orders!"\n')
    done = terminal.type("release")

    assert done.returncode == 1
    assert 'dayfly.toml:2: app: found the name "Orders!", allowed are a to z' in done.stderr


def test_uncommitted_work_is_refused_and_dirty_makes_a_commit_of_it(
    terminal: Terminal, environment: FakeEnvironment, git: Callable[..., str]
) -> None:
    happens(environment)
    (terminal.folder / "new.py").write_text("1")

    refused = terminal.type("release")
    assert refused.returncode == 1
    assert "new.py" in refused.stderr
    assert "--dirty" in refused.stderr

    assert terminal.type("release", "--dirty").returncode == 0
    commit = environment.asked[-1][-1]["commit"]
    assert commit != git("rev-parse", "HEAD")
    assert git("show", f"{commit}:new.py") == "1"


def test_a_failed_release_ends_with_1_and_the_machines_last_lines(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    happens(environment, outcome="failed")
    done = terminal.type("release", "--follow", "2")

    assert done.returncode == 1
    assert "machine orders-2-web-1 died: exit status 1" in done.stdout
    assert "ImportError: orders" in done.stdout
    assert "\x1b" not in done.stdout
    assert "dayfly logs --release 2" in done.stdout


def test_a_refused_release_tells_no_figures(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    """Nothing was launched, and there is no output to print."""
    environment.receipts[2] = {
        **environment.receipts[12], "release": 2, "outcome": "refused",
        "reason": "no [process.web]", "traffic": {"requests": 0, "lost": 0},
    }  # fmt: skip
    environment.happen("release.started", 2, **TOLD)
    environment.happen("release.finished", 2, outcome="refused", reason="no [process.web]")
    done = terminal.type("release", "--follow", "2")

    assert done.returncode == 1
    assert "no [process.web]" in done.stdout
    for word in ("lost", "verdict", "machines", "dayfly logs"):
        assert word not in done.stdout


def test_a_rollback_is_told_with_the_commit_that_it_goes_back_to(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    environment.journal.clear()
    environment.receipts[2] = {**environment.receipts[12], "release": 2}
    environment.happen("rollback.started", 2, **TOLD)
    environment.happen(
        "rollback.finished", 2, outcome="serving", receipt={"machines": [{}, {}, {}], "traffic": {}}
    )
    done = terminal.type("release", "--follow", "2")

    assert "release 2 of orders  3f2a1bc9d0 Add a column (rollback)" in done.stdout
    assert re.search(r"machines +3\n", done.stdout)


def test_a_rollback_that_only_stopped_a_release_has_no_receipt(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    reason = "release 3 was stopped, release 2 serves on"
    environment.journal.clear()
    environment.receipts[2] = {**environment.receipts[12], "release": 2}
    environment.happen("rollback.started", 2, **TOLD)
    environment.happen("rollback.finished", 2, outcome="serving", reason=reason)
    done = terminal.type("release", "--follow", "2")

    assert done.returncode == 0
    assert f"release 2 serving  {reason}" in done.stdout
    assert "requests" not in done.stdout


def test_follow_without_a_number_takes_the_newest(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    environment.releases_[0]["release"] = 2
    happens(environment)

    assert "release 2 of orders" in terminal.type("release", "--follow").stdout


def test_detached_it_says_how_to_follow(
    terminal: Terminal, environment: FakeEnvironment, git: Callable[..., str]
) -> None:
    done = terminal.type("release", "--detach", "--queue")

    assert done.stdout == "Release 2 is under way; `dayfly release --follow 2` shows it.\n"
    assert environment.asked[-1][-1]["queue"] is True


def test_a_refusal_is_the_servers(
    terminal: Terminal, environment: FakeEnvironment, git: Callable[..., str]
) -> None:
    environment.refusal = (409, {"error": "Release 1 is under way.", "hint": "Add --queue."})
    done = terminal.type("release")

    assert done.returncode == 1
    assert done.stderr == "Error: Release 1 is under way.\n  Add --queue.\n"


def test_a_rollback_names_where_to(terminal: Terminal, environment: FakeEnvironment) -> None:
    happens(environment)

    assert terminal.type("rollback", "--to", "1").returncode == 0
    assert environment.asked[-1] == (
        "apps/orders/rollback",
        {"to": 1, "who": environment.asked[-1][-1]["who"], "accept_loss": ""},
    )
    assert terminal.type("rollback", "--accept-loss", "two notes").returncode == 0
    assert environment.asked[-1][-1]["accept_loss"] == "two notes"


def test_ctrl_c_without_a_terminal_leaves_the_release_running(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    environment.journal.clear()
    environment.happen("release.started", 2, **TOLD)
    process = terminal.start("release", "--follow", "2")
    assert "release 2" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "Release 2 goes on; `dayfly release --follow 2` shows it." in out
    assert not environment.asked


@pytest.fixture
def screen(terminal: Terminal, environment: FakeEnvironment) -> Iterator[Screen]:
    environment.journal.clear()
    environment.receipts[2] = {**environment.receipts[12], "release": 2, "outcome": "failed"}
    environment.happen("release.started", 2, **TOLD)
    environment.happen("stage.started", 2, stage="build")
    environment.happen("output", 2, source="build", line="pip \x1b[2Jinstall")
    shown = Screen(terminal, "release", "--follow", "2")
    yield shown
    shown.close()


def test_on_a_terminal_the_running_stage_and_its_output_are_drawn(
    screen: Screen, environment: FakeEnvironment
) -> None:
    fleets = [{"release": 1, "rate": 30.0}, {"release": 2, "rate": 90.0}]
    environment.happen("traffic", 2, fleets=fleets)
    screen.wait_for("90/s of 120/s")

    assert "build: pip install" in screen.seen


def test_ctrl_c_asks_and_stops_the_release(screen: Screen, environment: FakeEnvironment) -> None:
    screen.wait_for("build: pip install")
    screen.process.send_signal(signal.SIGINT)
    screen.wait_for("leave it running? [s/l]")
    screen.write("s\n")
    end = time.monotonic() + 20
    while not environment.asked and time.monotonic() < end:
        time.sleep(0.05)
    assert environment.asked[-1][0] == "releases/2/stop"
    environment.happen("release.finished", 2, outcome="failed", reason="Ctrl-C")

    screen.wait_for("prints all of its output")
    assert screen.process.wait(20) == 1


def test_ctrl_c_asks_and_leaves_it_running(screen: Screen, environment: FakeEnvironment) -> None:
    screen.wait_for("build: pip install")
    screen.process.send_signal(signal.SIGINT)
    screen.wait_for("[s/l]")
    screen.write("l\n")

    screen.wait_for("goes on")
    assert screen.process.wait(20) == 130
    assert not environment.asked
