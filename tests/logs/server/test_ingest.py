import base64
import gzip
import http.client
import json
import socket
from contextlib import closing, suppress
from pathlib import Path

import pytest

from asked import NOW, Server, serving
from dayfly.logs.intake.body import Room
from dayfly.logs.query.values import LEVELS
from dayfly.logs.store.files import zstd
from dayfly.logs.store.settings import Settings

LINES = b'{"time": 1, "message": "one"}\n{"time": 2, "message": "two"}\n'


@pytest.mark.parametrize(
    ("packing", "body"),
    [
        ("identity", LINES),
        ("gzip", gzip.compress(LINES)),
        ("gzip", gzip.compress(LINES[:30]) + gzip.compress(LINES[30:])),
        ("zstd", zstd.compress(LINES)),
        ("zstd", zstd.compress(LINES[:30]) + zstd.compress(LINES[30:])),
    ],
    ids=["plain", "gzip", "gzip twice", "zstd", "zstd twice"],
)
def test_a_body_may_be_packed(server: Server, packing: str, body: bytes) -> None:
    assert server.ask("POST", "/ingest", body, Content_Encoding=packing).json == {"taken": 2}
    assert server.messages() == ["two", "one"]


def test_a_large_body_is_unpacked_whole(server: Server) -> None:
    body = b"".join(b'{"time": %d, "message": "%s"}\n' % (n, b"x" * 1000) for n in range(3000))

    for packed, packing in ((gzip.compress(body), "gzip"), (zstd.compress(body), "zstd")):
        found = server.ask("POST", "/ingest", packed, Content_Encoding=packing)
        assert found.json == {"taken": 3000}


@pytest.mark.parametrize(
    ("told", "level"),
    [
        ("ERROR", "error"),
        ("warn", "warning"),
        ("Fatal", "critical"),
        ("notice", "info"),
        ("TRACE", "debug"),
        (50, "error"),
        (60.0, "critical"),
        ("error", "error"),
        ("", ""),
        (None, ""),
        ("Loud", "loud"),
        (7000, "7000"),
    ],
)
@pytest.mark.parametrize("way", ["/ingest", "/insert/jsonline"])
def test_a_level_is_one_of_ours_however_it_is_written(
    server: Server, way: str, told: str | float | None, level: str
) -> None:
    record = {"time": 1, "message": "m", "level": told}
    if way != "/ingest" and level not in LEVELS:
        return  # it stays a field
    assert server.ask("POST", way, json.dumps(record).encode()).json == {"taken": 1}

    (found,) = server.search(f"level:{level}" if level else "NOT level:*").lines
    assert found["level"] == level


def test_a_level_is_the_same_after_a_restart_and_beside_a_line_of_another_shape(
    tmp_path: Path,
) -> None:
    with serving(tmp_path) as server:
        server.ingest({"time": 1, "message": "a", "level": "ERROR", "more": 1})
        server.ingest({"time": 1, "message": "b", "level": "ERROR"})
    with serving(tmp_path) as server:
        assert sorted(server.messages("level:error")) == ["a", "b"]


@pytest.mark.parametrize("way", ["/ingest", "/insert/jsonline"])
def test_what_is_not_quite_json_is_taken(server: Server, way: str) -> None:
    body = b'{"time":"2026-11-01t00:00:00z","_time":"2026-11-01t00:00:00z","message":"a \\ud83d b",'
    body += b'"n":1e400,"x":NaN}'

    assert server.ask("POST", way, body).json == {"taken": 1}
    (found,) = server.search("n:1e400 x:NaN").lines
    assert (found["message"], found["time"]) == ("a \ufffd b", "2026-11-01T00:00:00Z")
    assert server.ask("POST", way, b"[1]").status == 400
    assert server.ask("POST", way, b'{"time": 1, "message": "a').status == 400


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({}, {"time": "2026-11-02T00:00:00Z"}),
        ({"time": None}, {"time": "2026-11-02T00:00:00Z"}),
        ({"time": ""}, {"time": "2026-11-02T00:00:00Z"}),
        ({"time": "2026-11-28"}, {"time": "2026-11-28T00:00:00Z"}),
        ({"time": 1.5e18}, {"time": "2017-07-14T02:40:00Z"}),
        ({"app": 7, "host": 1.5, "stream": True}, {"app": "7", "host": "1.5", "stream": "true"}),
        ({"release": "41"}, {"release": 41}),
        ({"release": 41.0}, {"release": 41}),
    ],
    ids=str,
)
def test_what_a_sender_leaves_out_or_writes_otherwise_is_meant_so_also_after_a_restart(
    tmp_path: Path, told: dict[str, object], found: dict[str, object]
) -> None:
    other = {"time": 1, "message": "beside it", "app": "other"}
    with serving(tmp_path) as server:
        assert server.ingest({"message": "m", **told}, other).json == {"taken": 2}
        (record,) = server.search("NOT app:other").lines
    with serving(tmp_path, now=lambda: NOW + 60) as server:
        assert server.search("NOT app:other").lines == [record]

    assert {name: record[name] for name in found} == found


def test_a_batch_is_taken_once(server: Server) -> None:
    first, again, other = (
        server.ask("POST", "/ingest", LINES, X_Dayfly_Batch=batch)
        for batch in ("a-1", "a-1", "a-2")
    )

    assert [answer.json["taken"] for answer in (first, again, other)] == [2, 0, 2]
    assert len(server.messages()) == 4


@pytest.mark.parametrize("came", [b"", LINES[:35]], ids=["only its headers", "a part of it"])
def test_a_batch_whose_sender_was_killed_can_come_again(
    server: Server, came: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Else the store would call the rest a repetition, and it would be lost."""
    with suppress(http.client.RemoteDisconnected), closing(server.connection()) as broken:
        broken.putrequest("POST", "/ingest")
        broken.putheader("X-Dayfly-Batch", "a-1")
        broken.putheader("Content-Length", str(len(LINES)))
        broken.endheaders(came)
        broken.sock.shutdown(socket.SHUT_WR)
        broken.getresponse()

    assert server.ask("POST", "/ingest", LINES, X_Dayfly_Batch="a-1").json == {"taken": 2}
    assert server.messages() == ["two", "one"]
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("headers", "body", "status", "says"),
    [
        ({}, b'{"time": 1, "message": "x"}\n{"time"', 400, "line 2 is no record"),
        ({}, b'{"time": 1}', 400, "line 1 is no record"),
        ({}, b'{"message": "x"}\n{"message": ["x"]}', 400, "line 2 is no record"),
        ({}, b'{"message": "x", "release": "v41"}', 400, "line 1 is no record"),
        ({"Content_Encoding": "gzip"}, LINES, 400, "The body is no gzip"),
        ({"Content_Encoding": "gzip"}, gzip.compress(LINES)[:-9], 400, "gzip that breaks off"),
        ({"Content_Encoding": "zstd"}, LINES, 400, "The body is no zstd"),
        ({"Content_Encoding": "zstd"}, zstd.compress(LINES)[:-9], 400, "zstd that breaks off"),
        ({"Content_Encoding": "br"}, LINES, 415, "allowed are gzip, zstd and identity"),
        ({"X_Dayfly_Batch": "a b"}, LINES, 400, "X-Dayfly-Batch: found 'a b'"),
    ],
    ids=range(10),
)
def test_what_is_no_batch_of_records_is_refused_whole(
    server: Server, headers: dict[str, str], body: bytes, status: int, says: str
) -> None:
    found = server.ask("POST", "/ingest", body, **headers)

    assert (found.status, says in found.json["error"]) == (status, True), found.body
    assert server.messages() == []


def test_what_is_too_large_is_refused_packed_or_not(tmp_path: Path) -> None:
    bomb = gzip.compress(b"x" * 1_000_000)
    with serving(tmp_path, room=Room(most_body=10_000)) as server:
        assert server.ask("POST", "/ingest", b"x" * 10_001).status == 413
        assert server.ask("POST", "/ingest", bomb, Content_Encoding="gzip").status == 413
        assert server.ask("POST", "/ingest", LINES).status == 200


def test_too_much_at_once_is_to_be_sent_again(tmp_path: Path) -> None:
    room = Room(most_held=100, patience=0.1)
    with serving(tmp_path, room=room) as server:
        found = server.ask("POST", "/ingest", LINES * 2)

        assert (found.status, found.headers["retry-after"]) == (429, "1")
        assert server.ask("POST", "/ingest", LINES).status == 200
        assert room.held == 0


def test_a_full_disk_refuses_and_goes_on_answering(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.ask("POST", "/ingest", LINES)
    with serving(tmp_path, settings=Settings(reserve=1 << 60)) as server:
        found = server.ask("POST", "/ingest", LINES)
        bulk = server.ask("POST", "/_bulk", b'{"create": {}}\n{"message": "x"}\n')

        assert (found.status, bulk.status) == (507, 429)
        assert bulk.json["error"]["type"] == "es_rejected_execution_exception"
        assert bulk.json["items"][0]["create"]["status"] == 429
        assert len(server.messages()) == 2


def test_only_who_shows_the_token_is_let_in(tmp_path: Path) -> None:
    token = "a-long-token"
    shown = {
        "Bearer a-long-token": 200,
        "bearer a-long-token": 200,
        "Splunk a-long-token": 200,
        "ApiKey a-long-token": 200,
        f"ApiKey {base64.b64encode(b'id:a-long-token').decode()}": 200,
        f"Basic {base64.b64encode(b'anybody:a-long-token').decode()}": 200,
        "Bearer a-long-tokem": 401,
        "Bearer ": 401,
        "": 401,
        f"Basic {base64.b64encode(b'a-long-token:').decode()}": 401,
        "Basic é": 401,
    }
    with serving(tmp_path, token=token) as server:
        for header, status in shown.items():
            for method, path in (("GET", "/search"), ("POST", "/ingest"), ("GET", "/")):
                found = server.ask(method, path, Authorization=header)
                assert (header, path, found.status) == (header, path, status)


def test_records_come_back_as_they_were_sent(server: Server) -> None:
    record = {
        "time": "2026-11-01T12:00:00.123456789Z",
        "app": "web",
        "release": 3,
        "machine": "m1",
        "host": "h1",
        "process": "web",
        "stream": "stderr",
        "level": "error",
        "message": "line\none \u0000 \U0001f600",
        "fields": {"a": 1.5, "b": False, "c": ""},
    }
    assert server.ingest(record).json == {"taken": 1}
    assert server.search().lines == [record]
    assert json.loads(server.search().body)["time"] == record["time"]
