"""The access log, read back; hostile and torn lines included."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dayfly.balancer.accesslog import Line, Traffic, begin_anew, lines, parse, summary


def written(**changed: object) -> str:
    """A line as HAProxy writes it."""
    values: dict[str, object] = {
        "time": 1_000_000,
        "app": "orders",
        "slot": "slot-001",
        "server": "orders-2-web-1",
        "frontend": "http",
        "client": "127.0.0.1",
        "method": "GET",
        "status": 200,
        "termination": "--",
        "times": "0 0 1 6 7",
        "retries": "0",
        "size": 129,
        "kind": "-",
        "path": "\\/",
        **changed,
    }
    return " ".join(str(value) for value in values.values())


def line(**changed: object) -> Line:
    found = parse(written(**changed))
    assert found
    return found


def test_a_line_says_all() -> None:
    found = line(retries="+1", path="\\/a\\u0022b")

    assert (found.slot, found.server, found.total_ms) == ("slot-001", "orders-2-web-1", 7)
    assert (found.retries, found.redispatched, found.path) == (1, True, '/a"b')


@pytest.mark.parametrize(
    ("changed", "lost", "client"),
    [
        ({}, False, False),
        ({"status": 500}, False, False),  # the app's own
        ({"status": 503, "termination": "SC"}, True, False),
        ({"status": 502, "termination": "SH"}, True, False),
        ({"status": 504, "termination": "sH"}, True, False),
        ({"status": 503, "termination": "sQ"}, True, False),
        ({"status": 200, "termination": "SD"}, True, False),
        ({"status": 200, "termination": "KD"}, True, False),
        ({"status": 502, "termination": "PH"}, True, False),
        ({"status": 400, "termination": "PR"}, False, False),
        ({"status": 200, "termination": "CD"}, False, True),
        ({"status": 408, "termination": "cR"}, False, True),
        ({"status": 503, "termination": "LR", "kind": "closed"}, False, False),
        ({"status": 503, "termination": "SD", "kind": "closed"}, False, False),
        ({"status": 499, "termination": "LR", "kind": "left"}, False, True),
        ({"status": 500, "termination": "PR", "server": "<NOSRV>"}, True, False),  # while held
        ({"status": 101, "termination": "SD", "kind": "stream"}, False, False),
    ],
)
def test_lost_is_what_haproxy_made_up_or_broke_off(
    changed: dict[str, object], lost: bool, client: bool
) -> None:
    found = line(**changed)

    assert (found.lost, found.client_aborted) == (lost, client)


@given(some.text())
def test_garbage_is_no_line(text: str) -> None:
    assert parse(text) is None


@given(some.integers(0, 200))
def test_a_torn_line_is_none_or_whole_but_for_its_path(length: int) -> None:
    found = parse(written()[:length])

    assert found is None or found.total_ms == 7


@given(some.text())
def test_any_path_is_read_back(path: str) -> None:
    escaped = json.dumps("/" + path)[1:-1]

    assert line(path=escaped).path == "/" + path


def test_a_summary_counts_and_ranks() -> None:
    found = summary(
        [
            *(line(times=f"0 0 0 0 {each}") for each in range(1, 101)),
            line(status=503, termination="SC"),
            line(termination="CD"),
            line(status=500, retries="+1"),
            line(status=503, termination="LR", kind="closed", server="<lua.closed>"),
            line(status=499, termination="LR", kind="left", server="<NOSRV>"),
            line(status=101, kind="stream", termination="KD"),
        ]
    )

    assert found == Traffic(
        requests=104,
        lost=1,
        aborted=2,
        retried=1,
        errors=1,
        closed=1,
        streams=1,
        streams_cut=1,
        p50_ms=50,
        p99_ms=99,
    )


def test_nothing_has_no_percentiles() -> None:
    assert summary([]) == Traffic()


def test_a_range_of_time_is_found_across_both_files_and_a_torn_line(tmp_path: Path) -> None:
    older = [written(time=each * 1000) for each in range(100, 200)]
    newer = [written(time=each * 1000, slot="slot-002") for each in range(200, 300)]
    (tmp_path / "access.log.1").write_text("\n".join([*older, ""]))
    (tmp_path / "access.log").write_text("\n".join([*newer, "Server x is DOWN.", "2990 orders"]))

    assert summary(lines(tmp_path, since=150)).requests == 150
    assert [each.time for each in lines(tmp_path, since=298)] == [299_000, 298_000]


def test_a_range_larger_than_a_block_is_whole(tmp_path: Path) -> None:
    text = "".join(f"{written(time=each)}\n" for each in range(10_000))
    (tmp_path / "access.log").write_text(text)

    assert sum(1 for _ in lines(tmp_path, since=0)) == 10_000


def test_a_large_log_begins_anew_and_keeps_one_old_file(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(written() + "\n")
    begin_anew(log, 10_000)
    assert log.read_text()

    begin_anew(log, 10)

    assert (log.read_text(), (tmp_path / "access.log.1").read_text()) == ("", written() + "\n")
