"""On to Splunk's event collector, with and without its acknowledgement."""

import json
from pathlib import Path
from typing import Any

from dayfly.logs.record import Record
from fed import describe, feeding, receiving, wait_fed
from kept import body_of, numbered

TIME = 1_793_577_600_123_456_789


def splunk(folder: Path, port: int, **more: object) -> dict[str, object]:
    (folder / "secret").write_text("a-token\n")
    told = {"name": "siem", "kind": "splunk", "url": f"http://127.0.0.1:{port}", "index": "main"}
    return {**told, "secret_file": str(folder / "secret"), **more}


def events(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in body.splitlines()]


def test_an_event_has_time_place_and_fields(tmp_path: Path) -> None:
    with receiving(lambda *_: (200, {"text": "Success", "code": 0})) as receiver:
        describe(tmp_path, splunk(tmp_path, receiver.port))
        with feeding(tmp_path) as (store, feeds):
            told = {"app": "web", "release": 41, "host": "h1", "stream": "stdout"}
            record = Record(time=TIME, message="é", level="error", fields={"status": 500}, **told)
            store.append(body_of([record]))
            wait_fed(store, feeds)

    assert receiver.headers[0]["Authorization"] == "Splunk a-token"
    assert events(receiver.bodies("/services/collector/event")[0]) == [
        {
            "time": "1793577600.123456789",
            "host": "h1",
            "source": "stdout",
            "sourcetype": "_json",
            "index": "main",
            "event": {"message": "é", "level": "error", "status": 500, **told},
        }
    ]


def test_busy_is_again_and_wrong_is_halved_until_one_is_refused(tmp_path: Path) -> None:
    def answer(number: int, _: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if number == 1:
            return 503, {"text": "Server is busy", "code": 9}
        return (400, {"text": "Invalid data format", "code": 6}) if b"line 3" in body else (200, {})

    with receiving(answer) as receiver:
        describe(tmp_path, splunk(tmp_path, receiver.port))
        with feeding(tmp_path) as (store, feeds):
            store.append(numbered(range(8), begin=TIME))
            wait_fed(store, feeds)
            told = feeds.feeds[0].told()

    fine = [body for body in receiver.bodies("/services")[1:] if b"line 3" not in body]
    assert (told["sent"], told["refused"]) == (7, 1)
    assert sorted(event["event"]["message"] for body in fine for event in events(body)) == [
        f"line {n} of many" for n in range(8) if n != 3
    ]


def test_what_is_not_acknowledged_is_sent_again(tmp_path: Path) -> None:
    """Splunk forgot the first acknowledgement, and indexes the second one slowly."""

    def answer(number: int, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        if path.endswith("/event"):
            return 200, {"code": 0, "ackId": number}
        asked = json.loads(body)["acks"][0]
        if asked == 1:
            return 400, {"text": "Invalid channel", "code": 11}
        return 200, {"acks": {str(asked): number >= 3}}

    with receiving(answer) as receiver:
        describe(tmp_path, splunk(tmp_path, receiver.port, acknowledged=True))
        with feeding(tmp_path) as (store, feeds):
            store.append(numbered(range(2), begin=TIME))
            wait_fed(store, feeds)

    channels = {each["X-Splunk-Request-Channel"] for each in receiver.headers}
    assert len(receiver.bodies("/services/collector/event")) == 2
    assert len(channels) == 1
    assert f"channel={channels.pop()}" in receiver.requests[1][1]
