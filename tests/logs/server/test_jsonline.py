import gzip
import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asked import NOW, Answer, Server
from dayfly.errors import DayflyError
from dayfly.logs.intake import jsonline
from dayfly.logs.store.line import read as stored
from dayfly.logs.store.line import written

AT = round(NOW - 60)
TOLD = "2026-11-01T23:59:00"
MOMENT = round(NOW) * 10**9


def insert(server: Server, *lines: object, **told: str) -> Answer:
    body = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    return server.ask("POST", f"/insert/jsonline?{urlencode(told)}", body.encode())


def test_lines_are_stored_as_their_parameters_say(server: Server) -> None:
    found = insert(
        server,
        {"ts": f"{TOLD}.5Z", "log": {"text": "one"}, "kubernetes": {"pod": {"name": "w-1"}}},
        {"at": AT * 1000, "message": "two", "level": "warn", "secret": "x"},
        _msg_field="log.text,message",
        _time_field="ts,at",
        _stream_fields="kubernetes.pod.name",
        ignore_fields="secret",
        extra_fields="app=orders,shop=north",
    )

    assert (found.status, found.json) == (200, {"taken": 2})
    two, one = server.search("app:orders", order="oldest").lines
    assert (one["time"], one["message"], one["machine"]) == (f"{TOLD}.5Z", "one", "w-1")
    assert (two["time"], two["message"], two["level"]) == (f"{TOLD}Z", "two", "warning")
    assert [line["fields"] for line in (one, two)] == [{"shop": "north"}] * 2


def test_usual_names_need_no_parameters(server: Server) -> None:
    insert(
        server,
        {"_msg": "one", "_time": f"{TOLD}Z"},
        {"_msg": "two", "_time": "0"},
        {"msg": "three", "ts": f"{TOLD}Z"},
        "",
        {"n": 4},
    )

    found = {line["message"]: line["time"] for line in server.search().lines}
    assert found == {
        "one": f"{TOLD}Z",
        "two": "2026-11-02T00:00:00Z",
        "three": f"{TOLD}Z",
        '{"n":4}': "2026-11-02T00:00:00Z",
    }


def test_what_a_sender_names_is_the_message_and_the_time_and_nothing_else_is(
    server: Server,
) -> None:
    line = {"_msg": "one", "_time": f"{TOLD}Z", "message": "two", "ts": f"{TOLD}.5Z"}
    insert(server, line)

    (found,) = server.search().lines
    assert (found["message"], found["time"]) == ("one", f"{TOLD}Z")
    assert found["fields"] == {"message": "two", "ts": f"{TOLD}.5Z"}


def test_headers_may_say_the_same(server: Server) -> None:
    body = gzip.compress(b'{"said": "hello"}\n')
    found = server.ask(
        "POST", "/insert/jsonline", body, VL_Msg_Field="said", Content_Encoding="gzip"
    )

    assert found.json == {"taken": 1}
    assert server.messages() == ["hello"]


@pytest.mark.parametrize(
    ("lines", "told", "says"),
    [
        (['{"_msg": "x"}', "{"], {}, "line 2 is no JSON object"),
        (["[1]"], {}, "line 1 is no JSON object"),
        (['{"_msg": "x", "_time": "soon"}'], {}, "line 1: the time is 'soon', allowed"),
        (['{"_msg": "x"}'], {"debug": "1"}, "debug: no such parameter; allowed are _msg_field"),
        (['{"_msg": "x"}'], {"extra_fields": "a"}, "allowed is NAME=VALUE"),
        ([json.dumps({str(n): n for n in range(300)})], {}, "line 1 has more fields"),
    ],
    ids=range(6),
)  # fmt: skip
def test_what_is_wrong_is_named_and_nothing_is_taken(
    server: Server, lines: list[str], told: dict[str, str], says: str
) -> None:
    found = insert(server, *lines, **told)

    assert (found.status, says in found.json["error"]) == (400, True), found.body
    assert server.messages() == []


@given(st.binary())
def test_any_bytes_are_lines_or_refused(body: bytes) -> None:
    try:
        lines = jsonline.read(body, jsonline.Shape(), MOMENT)
    except DayflyError:
        return
    assert stored(written(lines)) == lines


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
NAMES = st.sampled_from(["_msg", "_time", "time", "level", "app", "release", "host", "fields"])


@given(st.dictionaries(NAMES, VALUES | st.sampled_from([9.5e18, "9999-12-31T00:00:00Z"])))
def test_any_object_is_a_line_or_refused(told: dict[str, object]) -> None:
    try:
        lines = jsonline.read(json.dumps(told).encode(), jsonline.Shape(), MOMENT)
    except DayflyError:
        return
    assert stored(written(lines)) == lines


@given(st.lists(st.text()), st.integers(10**9, 2 * 10**9))
def test_messages_and_times_come_through(texts: list[str], at: int) -> None:
    body = b"\n".join(json.dumps({"_msg": text, "_time": at}).encode() for text in texts)

    lines = jsonline.read(body, jsonline.Shape(), MOMENT)

    assert [line.time for line in lines] == [at * 10**9] * len(texts)
    assert [line.message for line in lines] == [
        text or f'{{"_msg":"","_time":{at}}}' for text in texts
    ]
