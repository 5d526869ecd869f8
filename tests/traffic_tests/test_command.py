import json
import subprocess
import sys
from pathlib import Path

import pytest

from apps.running import kinds
from traffic import Kind, Plan, PlanError
from traffic import kinds as chosen

TESTS = Path(__file__).parents[1]
STANDARD_LIBRARY_ONLY = [sys.executable, "-S", "-m", "traffic"]


def traffic(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*STANDARD_LIBRARY_ONLY, *arguments]
    return subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)


def test_the_command_shows_each_second_and_writes_a_report(tmp_path: Path) -> None:
    """It needs nothing but Python: the demo runs it before anything is installed."""
    report = tmp_path / "report.json"
    with kinds(release="4") as app:
        done = traffic(
            app.address,
            "--dialect",
            "kinds",
            "--rate",
            "60",
            "--seconds",
            "3.2",
            "--report",
            str(report),
        )

    counted = json.loads(report.read_text())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed 0" in done.stdout
    assert "release 4: " in done.stdout
    assert counted["failed"] == 0
    assert counted["releases"] == {"4": counted["ok"]}
    assert 120 < counted["ok"] < 240


def test_it_ends_when_the_file_is_there(tmp_path: Path) -> None:
    (tmp_path / "end").touch()
    with kinds() as app:
        done = traffic(app.address, "--dialect", "kinds", "--until-file", str(tmp_path / "end"))

    assert done.returncode == 0, done.stderr


def test_failures_are_listed_and_make_it_fail() -> None:
    with kinds("errors=0.5") as app:
        done = traffic(app.address, "--dialect", "kinds", "--seconds", "1.2")

    assert done.returncode == 1
    assert "status 500" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["http://example.com"], "only on its own machine"),
        (["ftp://127.0.0.1"], "not an http:// or https:// address"),
        (["http://127.0.0.1:1", "--kinds", "get,gopher"], "gopher: no such kind"),
        (["http://127.0.0.1:1", "--kinds", "websocket"], "the order desk answers only"),
        (
            ["http://127.0.0.1:1", "--dialect", "kinds", "--kinds", "h2"],
            "needs an https:// address",
        ),
    ],
)
def test_a_plan_that_can_not_be_carried_out_is_wrong_usage(
    arguments: list[str], words: str
) -> None:
    done = traffic(*arguments)

    assert done.returncode == 2
    assert words in done.stderr


def test_the_rate_is_shared_by_the_kinds_that_have_one() -> None:
    assert [kind.rate for kind in chosen("get", "post", "idle", rate=80)] == [40, 40, 0]


def test_an_empty_plan_is_refused() -> None:
    with pytest.raises(PlanError, match="no kind of traffic"):
        Plan(target="http://127.0.0.1:1", kinds=())


def test_a_kind_keeps_its_own_rate_without_one_for_all() -> None:
    assert chosen("get") == (Kind(name="get", rate=20),)
