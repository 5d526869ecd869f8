"""`dayfly logs`, and the parts of the log store alone, as a person types them."""

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from asked import NOW, Server, serving
from breaking import CHUNKED, saying
from dayfly.clock import wait_until
from fake_server.terminal import SOURCE, Terminal
from ports import free_port

SECOND = 10**9
NOW_NS = int(NOW) * SECOND
ORDERS = {"app": "orders", "machine": "orders-41-web-1", "stream": "stdout"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Two releases, of which the second one has a new error."""
    with serving(tmp_path / "store") as served:
        served.ingest(
            *(
                {"time": NOW_NS - (9 - n) * SECOND, "message": f"step {n}", "release": 41, **ORDERS}
                for n in range(9)
            ),
            *(
                {"time": NOW_NS - n, "message": f"no stock of {n}", "level": "error", "release": 42}
                for n in (4711, 4712)
            ),
        )
        yield served


@pytest.fixture
def alone(tmp_path: Path) -> Terminal:
    """Somebody without an environment."""
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(SOURCE),
        "HOME": str(tmp_path),
        "TZ": "UTC",
    }
    return Terminal(tmp_path, env | {"DAYFLY_HOME": str(tmp_path / "none")})


def test_a_search_is_narrowed_by_options(alone: Terminal, server: Server) -> None:
    done = alone.type(
        "logs", "step", "--url", server.address, "--app", "orders", "--release", "41", "-n", "1",
        "--json",
    )  # fmt: skip

    (record,) = map(json.loads, done.stdout.splitlines())
    assert (record["message"], record["time"]) == ("step 8", "2026-11-01T23:59:59Z")
    none = alone.type("logs", "step | count()", "--url", server.address, "--release", "7")
    assert none.stdout.split() == ["count", "0"]


def test_an_answer_that_breaks_off_is_no_whole_one(alone: Terminal) -> None:
    with saying(CHUNKED + b'e\r\n{"count": 17}\n\r\n') as address:
        done = alone.type("logs", "| count()", "--json", "--url", address)

    assert (done.returncode, done.stdout) == (1, '{"count": 17}\n')
    assert "(the answer broke off)" in done.stderr


def test_lines_around_a_record(alone: Terminal, server: Server) -> None:
    done = alone.type("logs", '"step 4"', "--url", server.address, "--context", "1")

    assert [line.partition(" orders")[0][:1] for line in done.stdout.splitlines()] == [
        " ",
        ">",
        " ",
    ]
    assert [line.split("stdout ")[1] for line in done.stdout.splitlines()] == [
        "step 3", "step 4", "step 5",
    ]  # fmt: skip


def test_no_lines_around_a_record_are_asked_for_too(alone: Terminal, server: Server) -> None:
    done = alone.type("logs", '"step 4"', "--url", server.address, "--context", "0", "--json")

    assert [len(json.loads(line)["records"]) for line in done.stdout.splitlines()] == [1]


def test_a_query_may_begin_as_options_do(alone: Terminal, server: Server) -> None:
    done = alone.type("logs", "--url", server.address, "-n", "9", "--", "-app:orders")

    assert len(done.stdout.splitlines()) == 2


def test_lines_around_a_record_of_any_length(alone: Terminal, server: Server) -> None:
    """One whose neighbours can't be had does not end the others."""
    same = {"app": "long", "stream": "stdout"}
    endless = {"app": "long", "stream": "s" * 1_000_000}
    trace = "".join(f"\n  at frame {n} of many" for n in range(12_000))
    server.ingest(
        {"time": NOW_NS - 9, "message": "before", **same},
        {"time": NOW_NS - 8, "message": f"boom{trace}", **same},
        {"time": NOW_NS - 7, "message": f"boom{'x' * 1_000_000}", **same},
        {"time": NOW_NS - 6, "message": "boom of a stream without end", **endless},
        {"time": NOW_NS - 5, "message": "boom \u2603", **same},
    )

    done = alone.type("logs", "boom*", "--url", server.address, "--context", "1", "--json")

    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert [(each["at"], len(each["records"])) for each in found] == [
        (1, 2),
        (0, 1),
        (1, 3),
        (1, 3),
    ]
    assert done.stderr.startswith("The lines around the record of 2026-11-01T23:59:59.999999994Z: ")


def test_what_is_new_in_a_release(alone: Terminal, server: Server) -> None:
    done = alone.type("logs", "--url", server.address, "--compare", "41", "42")

    head, row = done.stdout.splitlines()
    assert head.split() == ["count", "pattern"]
    assert row.split(maxsplit=1)[0] == "2"
    assert "no stock of" in row
    other = alone.type("logs", "--url", server.address, "--compare", "42", "41")
    assert other.stdout == "Release 41 has no error pattern that release 42 did not have.\n"
    unknown = alone.type("logs", "--url", server.address, "--compare", "42", "43")
    assert (unknown.returncode, unknown.stdout) == (0, "")
    assert unknown.stderr == "No record of release 43 was found: nothing can be said of it.\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["app:x level:>=loud"], "column 15"),
        (["--since", "yesterday"], "since: found 'yesterday'"),
        (["--follow", "--context", "2"], "one of them at a time"),
        (["x | count()", "--follow"], "Only records can be followed"),
        (["x | count()", "--context", "2"], "Only records have lines around"),
        (["--follow", "--until", "1h"], "has no end"),
        (["--dsl", "| patterns"], "cannot group messages by their shape"),
        (["x", "--source", "build"], "--source is of the kept output"),
        (["-n", "0"], "argument -n: found 0, allowed is 1 to 100000"),
        (["-n", "1000000"], "argument -n: found 1000000, allowed is 1 to 100000"),
        (["--context", "-3"], "argument --context: found -3, allowed is 0 to 1000"),
        (["--context", "0", "--follow"], "one of them at a time"),
        (["--since", "2026-11-28", "--until", "2026-11-27"], "--until 2026-11-27 is not after"),
        (["--since", "1h", "--until", "2h"], "--until 2h is not after --since 1h"),
        (["-app:orders"], "What begins with `-` and is no option stands last, after `--`."),
    ],
)
def test_what_makes_no_sense_is_told(
    alone: Terminal, server: Server, words: list[str], says: str
) -> None:
    done = alone.type("logs", *words, "--url", server.address)

    assert done.returncode in {1, 2}
    assert says in done.stderr


def test_a_search_is_printed_as_elasticsearch_asks_it(alone: Terminal) -> None:
    """Nobody is asked: there is no environment here."""
    done = alone.type(
        "logs", "status:>=500", "--app", "orders", "-n", "5", "--since", "2026-11-01",
        "--until", "2026-11-02T12:00Z", "--dsl",
    )  # fmt: skip

    assert json.loads(done.stdout) == {
        "query": {
            "bool": {
                "filter": [
                    {"range": {"status": {"gte": 500}}},
                    {"term": {"app": "orders"}},
                    {"range": {"@timestamp": {"gte": "2026-11-01T00:00:00Z"}}},
                    {"range": {"@timestamp": {"lt": "2026-11-02T12:00:00Z"}}},
                ]
            }
        },
        "sort": [{"@timestamp": "desc"}],
        "size": 5,
    }


def test_what_comes_is_followed(alone: Terminal, server: Server) -> None:
    process = alone.start("logs", "step", "--url", server.address, "--follow", "--json")
    try:
        assert process.stdout
        while not select.select([process.stdout], [], [], 0.5)[0]:  # until it follows
            server.ingest({"time": time.time_ns() + SECOND, "message": "step of now"})
        assert json.loads(process.stdout.readline())["message"] == "step of now"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    finally:
        process.kill()
        process.communicate()


def test_a_store_and_a_forwarder_alone(alone: Terminal, tmp_path: Path) -> None:
    url, log = f"http://127.0.0.1:{free_port()}", tmp_path / "app.log"
    log.write_text('{"level":"warn","msg":"from a file"}\n')
    with (
        running(alone, "logs", "serve", "kept", "--listen", url.removeprefix("http://")),
        running(alone, "forwarder", "--to", url, str(tmp_path / "*.log"), "--app", "shop"),
    ):
        wait_until(
            lambda: "from a file" in alone.type("logs", "app:shop", "--url", url).stdout,
            seconds=40,
            what="the line in the store",
            poll=0.5,
        )
        (record,) = alone.type("logs", "--json", "--url", url).stdout.splitlines()
        usage = alone.type("logs", "usage", "--url", url)

    found = json.loads(record)
    assert (found["level"], found["stream"], found["app"]) == ("warning", "app.log", "shop")
    assert usage.returncode == 0
    assert "free" in usage.stdout


def test_a_forwarder_says_what_it_does_not_read(alone: Terminal, tmp_path: Path) -> None:
    (tmp_path / "real.log").write_text("one\n")
    (tmp_path / "link.log").symlink_to("real.log")
    named = [str(tmp_path / name) for name in ("link.log", "absent.log", ".")]
    process = alone.start("forwarder", "--to", "http://127.0.0.1:1", *named)
    try:
        assert process.stderr
        said = [process.stderr.readline() for _ in named]
    finally:
        process.kill()
        process.communicate()

    link, absent, folder = said
    told = "this is a link, which is not read; name the file"
    assert link == f"Warning: {named[0]}: {told}: {tmp_path}/real.log\n"
    assert absent == f"Warning: {named[1]}: nothing is there yet; what appears there is read\n"
    assert folder.startswith(f"Warning: {tmp_path}: this is a folder, which is not read")


def test_a_store_says_that_it_listens_when_it_does(alone: Terminal, server: Server) -> None:
    done = alone.type("logs", "serve", "kept", "--listen", f"127.0.0.1:{server.port}")

    assert (done.returncode, done.stdout) == (1, "")
    assert f"can't listen on 127.0.0.1:{server.port}: Address already in use" in done.stderr
    assert done.stderr.endswith("Give another one.\n")


def test_a_spool_is_of_one_forwarder(alone: Terminal, tmp_path: Path) -> None:
    words = ("forwarder", "--to", "http://127.0.0.1:1", str(tmp_path / "*.log"), "--spool", "kept")
    with running(alone, *words) as first:
        assert first.stdout
        assert first.stdout.readline().startswith("Forwarding to")
        with running(alone, *words):  # it ends when it is told to
            time.sleep(1)
        second = alone.type(*words)

    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr == f"Error: {tmp_path}/kept: another forwarder uses this spool\n"


def test_only_this_host_may_ask_a_store_without_a_token(alone: Terminal) -> None:
    done = alone.type("logs", "serve", "kept", "--listen", f"0.0.0.0:{free_port()}")

    assert (done.returncode, "token is missing or empty" in done.stderr) == (2, True)
    assert done.stdout == ""


def test_a_store_elsewhere_is_shown_the_token_of_a_variable(
    alone: Terminal, tmp_path: Path
) -> None:
    with serving(tmp_path / "closed", token="secret") as served:
        refused = alone.type("logs", "--url", served.address)
        alone.env["DAYFLY_LOGS_TOKEN"] = "secret"
        taken = alone.type("logs", "--url", served.address)

    assert (refused.returncode, "token is missing or wrong" in refused.stderr) == (1, True)
    assert taken.returncode == 0


@contextmanager
def running(terminal: Terminal, *words: str) -> Iterator["subprocess.Popen[str]"]:
    process = terminal.start(*words, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=30)
        assert process.returncode == 0, said
