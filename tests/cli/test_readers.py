import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dayfly.cli import reference
from dayfly.cli.release import who
from fake_server import FakeEnvironment
from fake_server.terminal import Terminal

HEAVY = ("rich", "starlette", "uvicorn", "jinja2", "cyclopts", "msgspec", "asyncio")


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["status"], lambda env: env.status_),
        (["releases"], lambda env: env.releases_),
        (["releases", "--limit", "2"], lambda env: env.releases_[:2]),
        (["receipt", "12"], lambda env: env.receipts[12]),
    ],
)
def test_json_is_exactly_the_servers_value(
    terminal: Terminal,
    environment: FakeEnvironment,
    words: list[str],
    wanted: Callable[[FakeEnvironment], object],
) -> None:
    done = terminal.type(*words, "--json")

    assert done.returncode == 0
    assert json.loads(done.stdout) == wanted(environment)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["status"], ["release 12 serving", "not healthy", "release 11 warm", "way back open"]),
        (["status"], ["logs up  forwarder up", "1 machine has ended and waits until"]),
        (["releases"], ["12  orders", "serving", "failed", "not healthy within 30 s"]),
        (["receipt", "12"], ["lost 0 of 48,213 requests", "cutover  34 ms", "p99 18.4 ms"]),
        (["machines"], ["orders-2-web-1", "64 MB", "cpu s"]),
        (["jobs", "--app", "orders"], ["nightly-export", "30 2 * * *", "done"]),
        (
            ["logs", "--release", "2"],
            ["build: collecting", "orders-2-web-1: 0;ownedready"],
        ),  # no title, and no text hidden
    ],
)
def test_a_person_reads_plain_lines(terminal: Terminal, words: list[str], says: list[str]) -> None:
    done = terminal.type(*words)

    assert done.returncode == 0
    assert [word for word in says if word not in done.stdout] == [], done.stdout + done.stderr


STANDING = {
    "alert": "errors",
    "query": "level:error",
    "threshold": "more than 20",
    "within": "5m",
    "state": "stands",
    "since": "2026-11-27T10:00:00.000+00:00",
    "count": 37,
    "looked": "2026-11-27T10:05:00.000+00:00",
    "silent": False,
    "ways": ["webhook", "command"],
    "problems": ["webhook: https://hook answers 503"],
}


def test_alerts_are_shown_with_their_state(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    assert "There are no alerts" in terminal.type("logs", "alerts").stdout

    environment.alerts_ = [STANDING, {**STANDING, "alert": "b", "state": "calm", "silent": True}]
    said = terminal.type("logs", "alerts").stdout
    assert "stands since 2026-11-27" in said
    assert "37 in 5m, more than 20  webhook, command  level:error" in said
    assert "calm (silent)" in said
    assert "! errors: webhook: https://hook answers 503" in said
    assert json.loads(terminal.type("logs", "alerts", "--json").stdout) == environment.alerts_


def test_the_status_names_alerts_that_stand(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    environment.status_["alerts"] = [STANDING]

    said = terminal.type("status").stdout

    assert "alert errors stands since 2026-11-27" in said
    assert "37 in 5m, more than 20  level:error  webhook: https://hook answers 503" in said


def test_after_a_rollback_the_way_forward_is_named(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    environment.status_["apps"][0]["way_back"] = "none"
    environment.status_["apps"][0]["warm"][0]["release"] = 13

    assert "forward again: `dayfly rollback --to 13`" in terminal.type("status").stdout


def test_what_waits_for_its_window_is_told_with_the_time(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    reason = "until Sun 2026-11-29 02:00 UTC: its window Sun 02:00-04:00"
    waits = {"release": 15, "commit": "c0ffee", "reason": reason}
    environment.status_["apps"][0]["waiting"] = [waits]

    assert f"release 15 waiting  c0ffee  {reason}" in terminal.type("status").stdout


def test_a_receipt_tells_of_each_rollback(terminal: Terminal, environment: FakeEnvironment) -> None:
    back = {"who": "ada", "started": "2026-11-23T20:00:00+00:00", "outcome": "serving"}
    environment.receipts[12]["rollbacks"] = [{**back, "traffic": {"requests": 7}}]

    told = terminal.type("receipt", "12").stdout
    assert told.count("gone back to") == 1
    assert "of 7 requests" in told


def test_a_receipt_tells_how_many_met_the_page_of_a_closed_app(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    assert "closed" not in terminal.type("receipt", "12").stdout
    environment.receipts[12]["traffic"]["closed"] = 1204

    assert "retried 3  aborted 0  closed 1,204" in terminal.type("receipt", "12").stdout


def test_nothing_that_others_wrote_acts_on_the_terminal(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    """The subject of release 10 clears a screen and turns the direction of text."""
    environment.releases_[2]["reason"] = ""
    for words in (["releases"], ["receipt", "10"], ["logs", "--release", "2"]):
        shown = terminal.type(*words).stdout
        assert not {"\x1b", "\x07", "\u202e"} & set(shown)


def test_only_what_status_needs_is_loaded(terminal: Terminal) -> None:
    """It has 250 ms; what draws or serves would take more than that alone."""
    python = [sys.executable, "-X", "importtime", "-c"]
    done = subprocess.run(
        [*python, "import sys; sys.argv[1:] = ['status']; from dayfly.cli import main; main()"],
        env=terminal.env, text=True, capture_output=True, check=True,
    )  # fmt: skip
    loaded = {
        line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()
    }

    assert "dayfly" in loaded
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["receipt", "--", "-1"], "-1 is no release: they are numbered from 1"),
        (["logs", "--release", "0"], "0 is no release"),
        (["rollback", "--to", "last"], "last is no release"),
        (["relase"], "Did you mean `release`?"),
        ([], "COMMAND"),
        (["run", "--app", "orders"], "Run what?"),
        (["jobs", "run", "--app", "orders"], "Which job?"),
    ],
)
def test_wrong_usage_ends_with_2(terminal: Terminal, words: list[str], says: str) -> None:
    done = terminal.type(*words)

    assert done.returncode == 2
    assert says in done.stderr


def test_what_is_not_there_ends_with_1_and_the_servers_words(terminal: Terminal) -> None:
    done = terminal.type("receipt", "99")

    assert done.returncode == 1
    assert done.stderr == "Error: There is no releases/99.\n  `dayfly releases`\n"


def test_no_server_says_how_to_start_it(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "home/environment.toml").write_text('[api]\nlisten = "127.0.0.1:1"\n')
    done = terminal.type("status")

    assert done.returncode == 1
    assert "does not answer at http://127.0.0.1:1" in done.stderr
    assert "`dayfly up` starts it." in done.stderr


def test_a_reader_that_goes_away_is_no_error(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    environment.releases_ *= 4000
    process = terminal.start("releases", "--json", "--limit", "40000")
    process.stdout.read(10)
    process.stdout.close()

    assert process.wait(30) == 1
    assert process.stderr.read() == ""
    process.stderr.close()


def test_which_app_is_asked_for_when_there_are_two(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    environment.status_["apps"].append({**environment.status_["apps"][0], "app": "shop"})
    done = terminal.type("secret", "ls")

    assert done.returncode == 2
    assert "Known are: orders, shop." in done.stderr


def test_a_secret_comes_from_standard_input(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    terminal.type("secret", "set", "SECRET_KEY", stdin="one\ntwo\n")

    assert environment.secrets == {"SECRET_KEY": "one\ntwo"}
    assert terminal.type("secret", "ls").stdout == "SECRET_KEY\n"
    assert terminal.type("secret", "rm", "SECRET_KEY").returncode == 0
    assert environment.secrets == {}


def test_a_secret_of_the_operator_is_for_no_machine(terminal: Terminal) -> None:
    done = terminal.type("secret", "set", "ELK_KEY", "--app", "dayfly", stdin="one\n")

    assert done.stdout == "ELK_KEY is set, for what environment.toml names it for.\n"
    assert "misses it" in terminal.type("secret", "rm", "ELK_KEY", "--app", "dayfly").stdout


def test_a_secret_of_an_application_that_nobody_released_is_kept_with_a_note(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    done = terminal.type("secret", "set", "SECRET_KEY", "--app", "ordres", stdin="x")

    assert done.returncode == 0
    assert "nothing of ordres has been released yet; did you mean orders?" in done.stdout
    assert "note" not in terminal.type("secret", "set", "A", "--app", "orders", stdin="x").stdout


def test_a_release_that_waits_for_its_turn_is_queued(
    terminal: Terminal, environment: FakeEnvironment
) -> None:
    """For programs it is among those that run."""
    environment.releases_[0] |= {"outcome": "running", "queued": True}

    assert "queued" in terminal.type("releases").stdout


def test_one_command_in_a_fresh_machine(terminal: Terminal, environment: FakeEnvironment) -> None:
    done = terminal.type("run", "--app", "orders", "--", "python", "-c", "print('a b')")

    assert environment.asked[-1][-1]["command"] == """python -c 'print('"'"'a b'"'"')'"""
    assert done.stdout == "hello red\n"
    assert done.returncode == 3
    assert "status 3" in done.stderr


def test_a_job_is_started(terminal: Terminal, environment: FakeEnvironment) -> None:
    assert terminal.type("jobs", "run", "nightly-export").returncode == 0
    assert environment.asked[-1][0] == "apps/orders/jobs/nightly-export"


def test_the_console_opens_by_a_link_that_is_good_once(
    environment: FakeEnvironment, terminal: Terminal
) -> None:
    assert terminal.type("console").stdout == "http://127.0.0.1:8081/enter?code=once\n"
    (asked,) = environment.asked
    assert asked == ("console-link", {"who": who()})


def test_every_command_is_in_the_reference() -> None:
    page = reference.markdown()

    names = [name for name, _ in reference.commands()]
    assert len(names) >= 16
    assert all(f"## {name}\n" in page for name in names)
