import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asked import NOW, TOKEN, Answer, Server, serving
from dayfly.logs.intake import hecevents
from dayfly.logs.store.line import read as stored
from dayfly.logs.store.settings import Settings

CHANNEL = "2bd7a4f8-4f8e-4e5c-8a2d-0f2f6c1d9a11"
SUCCESS = {"text": "Success", "code": 0}
AT = round(NOW - 60)
NANOSECONDS = round(NOW) * 10**9


def collect(server: Server, *events: object, path: str = "", **headers: str) -> Answer:
    told = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in events]
    return server.ask("POST", f"/services/collector{path}", b"".join(told), **headers)


@pytest.mark.parametrize("path", ["", "/event", "/event/1.0"])
def test_events_are_stored_with_what_is_told_of_them(server: Server, path: str) -> None:
    found = collect(
        server,
        {
            "time": f"{AT}.123456789",
            "host": "web-1",
            "source": "/var/log/orders.log",
            "sourcetype": "orders",
            "index": "main",
            "event": "2026-01-01 00:00:00 ERROR refund failed",
            "fields": {"shop": "north", "tries": 3},
        },
        {"event": {"message": "two", "severity": "warn", "order": {"id": 7}}},
        {"event": 5, "time": AT * 1000},
        path=path,
    )

    assert (found.status, found.json) == (200, SUCCESS)
    third, first, second = server.search(order="oldest").lines
    assert first["time"] == "2026-11-01T23:59:00.123456789Z"
    assert (first["message"], first["level"]) == ("ERROR refund failed", "error")
    assert (first["host"], first["stream"]) == ("web-1", "/var/log/orders.log")
    assert first["fields"] == {"sourcetype": "orders", "index": "main", "shop": "north", "tries": 3}
    assert (second["message"], second["level"]) == ("two", "warning")
    assert (second["time"], second["fields"]) == ("2026-11-02T00:00:00Z", {"order.id": 7})
    assert (third["message"], third["time"]) == ("5", "2026-11-01T23:59:00Z")


def test_white_space_between_events_is_nothing(server: Server) -> None:
    found = collect(server, b' {"event":"a"}{"event":"b"}\n\n{"event":\n"c"} ')

    assert found.json == SUCCESS
    assert sorted(server.messages()) == ["a", "b", "c"]


def test_an_event_of_docker_is_a_line_of_its_container(server: Server) -> None:
    event = {"line": '{"msg": "x", "level": "warn"}', "source": "stderr", "tag": "0123abcd"}
    collect(server, {"event": event, "host": "web-1", "time": f"{AT}.000000"})

    (line,) = server.search("host:web-1").lines
    assert (line["message"], line["level"], line["stream"]) == ("x", "warning", "stderr")
    assert line["fields"] == {"tag": "0123abcd"}


@pytest.mark.parametrize("path", ["/raw", "/raw/1.0"])
def test_raw_lines_are_stored_one_by_one(server: Server, path: str) -> None:
    query = "?host=web-1&source=nightly&sourcetype=cron"
    found = collect(server, b"one\r\n\ntwo\nlevel=error msg=three", path=path + query)

    assert found.json == SUCCESS
    assert sorted(server.messages("host:web-1 stream:nightly sourcetype:cron")) == [
        "one",
        "three",
        "two",
    ]
    assert server.messages("level:error") == ["three"]


@pytest.mark.parametrize(
    ("body", "path", "code", "number"),
    [
        (b"", "", 5, None),
        (b" \n", "", 5, None),
        (b"\n", "/raw", 5, None),
        (b'{"event": "a"}{"event"', "", 6, 1),
        (b'{"event": "a"} [1]', "", 6, 1),
        (b"nonsense", "", 6, 0),
        (b'\xff{"event": "a"}', "", 6, 0),
        (b'{"event": "a", "time": "soon"}', "", 6, 0),
        (b'{"event": "a", "time": 1e400}', "", 6, 0),
        (b'{"event": "a", "time": NaN}', "", 6, 0),
        (b'{"event": "a"}{"time": 1}', "", 12, 1),
        (b'{"event": "a"}{"event": ""}', "", 13, 1),
        (b'{"event": "a", "fields": 5}', "", 15, 0),
        (b'{"event": "a"}', "?channel=mine", 11, None),
    ],
    ids=range(14),
)
def test_what_is_wrong_is_told_as_splunk_tells_it_and_nothing_is_taken(
    server: Server, body: bytes, path: str, code: int, number: int | None
) -> None:
    found = collect(server, body, path=path)

    assert (found.status, found.json["code"]) == (400, code), found.json
    assert found.json.get("invalid-event-number") == number
    assert server.messages() == []


def test_with_a_channel_events_are_acknowledged(server: Server) -> None:
    header = collect(server, {"event": "a"}, X_Splunk_Request_Channel=CHANNEL).json
    query = collect(server, {"event": "b"}, path=f"?channel={CHANNEL}").json
    numbers = [header["ackId"], query["ackId"]]

    asked = {"acks": [*numbers, numbers[1] + 1]}
    found = collect(server, asked, path="/ack", X_Splunk_Request_Channel=CHANNEL)

    assert numbers[0] < numbers[1] < 2**53
    assert found.json == {
        "acks": {str(numbers[0]): True, str(numbers[1]): True, str(numbers[1] + 1): False}
    }


def test_a_number_that_was_not_given_is_not_acknowledged(server: Server) -> None:
    """One that is made up passes once in 4096 times."""
    given = [
        collect(server, {"event": "a"}, X_Splunk_Request_Channel=CHANNEL).json["ackId"]
        for _ in range(5)
    ]
    other = CHANNEL[:-1] + ("0" if CHANNEL[-1] != "0" else "1")

    made_up = {"acks": [0, 1, -1, 5, 4096, *(number - 1 for number in given)]}
    here = collect(server, made_up, path="/ack", X_Splunk_Request_Channel=CHANNEL).json["acks"]
    there = collect(server, {"acks": given}, path="/ack", X_Splunk_Request_Channel=other).json

    assert sum(here.values()) <= 1
    assert sum(there["acks"].values()) <= 1


def test_what_was_acknowledged_stays_so_when_the_server_starts_again(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        told = collect(server, {"event": "a"}, X_Splunk_Request_Channel=CHANNEL).json["ackId"]
    with serving(tmp_path) as server:
        path = f"/ack?channel={CHANNEL}"
        assert collect(server, {"acks": [told]}, path=path).json == {"acks": {str(told): True}}
        assert server.messages() == ["a"]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [("/ack", b'{"acks": [1]}', 10), (f"/ack?channel={CHANNEL}", b'{"acks": "x"}', 6)],
)
def test_a_wrong_question_for_acknowledgements(
    server: Server, path: str, body: bytes, code: int
) -> None:
    found = collect(server, body, path=path)

    assert (found.status, found.json["code"]) == (400, code)


@pytest.mark.parametrize(
    ("shown", "status", "code"),
    [("", 401, 2), ("Splunk ", 401, 3), ("Splunk wrong", 403, 4), (f"Splunk {TOKEN}", 200, 0)],
)
def test_a_token_is_refused_as_splunk_refuses_it(
    live: Server, shown: str, status: int, code: int
) -> None:
    found = collect(live, {"event": "a"}, Authorization=shown)

    assert (found.status, found.json["code"]) == (status, code)


def test_anybody_may_ask_whether_it_is_well(live: Server) -> None:
    for path in ("/health", "/health/1.0"):
        found = live.ask("GET", f"/services/collector{path}", Authorization="")
        assert found.json == {"text": "HEC is healthy", "code": 17}
    found = live.ask("OPTIONS", "/services/collector/event/1.0", Authorization="")
    assert found.status == 200


def test_a_full_disk_is_busy_and_not_well(tmp_path: Path) -> None:
    with serving(tmp_path, settings=Settings(reserve=1 << 60)) as server:
        found = collect(server, {"event": "a"}, X_Splunk_Request_Channel=CHANNEL)
        health = server.ask("GET", "/services/collector/health")

    assert (found.status, found.json["code"], found.headers["retry-after"]) == (503, 9, "1")
    assert (health.status, health.json["code"]) == (503, 18)


@given(st.binary())
def test_any_bytes_are_events_or_refused(body: bytes) -> None:
    for read in (hecevents.events, hecevents.raw):
        try:
            lines = read(body, {}, NANOSECONDS)
        except hecevents.EventError:
            continue
        assert len(stored(b"\n".join(lines))) == len(lines)


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(VALUES, lambda it: st.lists(it) | st.dictionaries(st.text(), it), max_leaves=8)
NAMES = st.sampled_from(["time", "event", "host", "source", "sourcetype", "fields", "line", "x"])


@settings(max_examples=30)  # each takes long to make
@given(st.lists(st.dictionaries(NAMES, JSON)))
def test_any_json_is_events_or_refused(told: list[dict[str, Any]]) -> None:
    body = "".join(json.dumps(one) for one in told).encode()
    try:
        lines = hecevents.events(body, {}, NANOSECONDS)
    except hecevents.EventError:
        return
    assert len(lines) == len(told)
    assert len(stored(b"\n".join(lines))) == len(lines)


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1))
def test_each_event_is_one_line(texts: list[str]) -> None:
    body = "".join(json.dumps({"event": f"x {text}", "time": 5}) for text in texts).encode()

    lines = hecevents.events(body, {}, NANOSECONDS)

    assert [json.loads(line)["time"] for line in lines] == [5 * 10**9] * len(texts)
