import json
from typing import Any

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asked import NOW, TOKEN, Answer, Server
from dayfly.errors import DayflyError
from dayfly.logs.intake import loki, messages
from dayfly.logs.store.line import read as stored

AT = round(NOW - 60) * 10**9 + 5
PUSH = "/loki/api/v1/push"


def push(server: Server, told: object, **headers: str) -> Answer:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return server.ask("POST", PUSH, body, **{"Content_Type": "application/json", **headers})


def streams(*values: list[Any], **labels: str) -> dict[str, Any]:
    return {"streams": [{"stream": labels, "values": list(values)}]}


def packed(labels: str, *entries: tuple[int, str, dict[str, str]]) -> bytes:
    """As promtail and Grafana's agents send it."""
    made = messages.push_of(b"")
    stream = made.streams.add(labels=labels.encode())
    for at, line, more in entries:
        entry = stream.entries.add(line=line.encode())
        entry.timestamp.seconds, entry.timestamp.nanos = divmod(at, 10**9)
        for name, value in more.items():
            entry.metadata.add(name=name.encode(), value=value.encode())
    return bytes(cramjam.snappy.compress_raw(made.SerializeToString()))


@pytest.mark.parametrize("kind", ["application/json", "application/x-protobuf"])
def test_lines_are_stored_with_their_labels(server: Server, kind: str) -> None:
    if kind == "application/json":
        body: object = streams(
            [str(AT), "one", {"trace": "abc"}],
            [str(AT + 1), "level=warn msg=two status=503"],
            service_name="orders",
            env='a "b"',
            filename="/var/log/x",
        )
    else:
        body = packed(
            '{service_name="orders", env="a \\"b\\"", filename="/var/log/x"}',
            (AT, "one", {"trace": "abc"}),
            (AT + 1, "level=warn msg=two status=503", {}),
        )

    found = push(server, body, Content_Type=kind)

    assert (found.status, found.body) == (204, b"")
    first, second = server.search("app:orders", order="oldest").lines
    assert (first["time"], first["message"]) == ("2026-11-01T23:59:00.000000005Z", "one")
    assert (first["stream"], first["fields"]) == ("/var/log/x", {"env": 'a "b"', "trace": "abc"})
    assert (second["message"], second["level"]) == ("two", "warning")
    assert second["fields"] == {"env": 'a "b"', "status": 503}


def test_a_label_tells_the_level(server: Server) -> None:
    push(server, streams([str(AT), "ERROR is a word"], level="info", host="web-1"))
    push(server, streams([str(AT), "x"], level="unheard", job="j"))

    assert server.messages("level:info host:web-1") == ["ERROR is a word"]
    assert server.search("job:j").lines[0]["fields"] == {"job": "j", "level": "unheard"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "says"),
    [
        (b"{", {}, 400, "no push"),
        (b'{"streams": [{"stream": {"a": 1}, "values": []}]}', {}, 400, "no push"),
        (streams([AT, "x"]), {}, 400, "streams[0].values[0]: the time is"),
        (streams([str(AT), "x"], ["soon", "x"]), {}, 400, "[1]: the time is 'soon'"),
        (streams([str(AT)]), {}, 400, 'values[0]: allowed is ["NANOSECONDS", "line"]'),
        (streams([str(AT), 5]), {}, 400, 'values[0]: allowed is ["NANOSECONDS", "line"]'),
        (streams([str(2**63), "x"]), {}, 400, "out of range"),
        (b"x", {"Content_Type": "application/x-protobuf"}, 400, "no snappy"),
        (packed("a=1", (AT, "x", {})), {"Content_Type": "application/x-protobuf"}, 400, "labels"),
        (
            bytes(cramjam.snappy.compress_raw(b"\xff")),
            {"Content_Type": "application/x-protobuf"}, 400, "no PushRequest",
        ),
        (
            bytes(cramjam.snappy.compress_raw(b"x" * (65 << 20))),
            {"Content_Type": "application/x-protobuf"}, 413, "more than",
        ),
    ],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_push_is_refused_whole(
    server: Server, body: object, headers: dict[str, str], status: int, says: str
) -> None:
    found = push(server, body, **headers)

    assert (found.status, says in found.json["error"]) == (status, True), found.body
    assert server.messages() == []


def test_what_senders_ask_first_is_answered(live: Server) -> None:
    assert live.ask("GET", "/loki/api/v1/status/buildinfo").json["version"]
    assert live.ask("GET", "/ready", Authorization="").body == b"ready\n"
    assert live.ask("POST", PUSH, b"{}", Authorization="").status == 401
    assert live.ask("POST", PUSH, b'{"streams": []}', Authorization=f"Bearer {TOKEN}").status == 204


@pytest.mark.parametrize(
    ("told", "labels"),
    [
        ("{}", {}),
        (" { } ", {}),
        ('{a="b"}', {"a": "b"}),
        ('{a="b",c="d, }"}', {"a": "b", "c": "d, }"}),
        (r'{a="\u00e9\x41\101\U0001f600\n\\\""}', {"a": 'éAA😀\n\\"'}),
        ('{a="b",}', {"a": "b"}),
    ],
)
def test_labels_are_quoted_as_in_go(told: str, labels: dict[str, str]) -> None:
    assert loki.labels_of(told) == labels


@given(st.dictionaries(st.from_regex(r"[a-z_]\w{0,9}", fullmatch=True), st.text(), max_size=4))
def test_labels_come_through(labels: dict[str, str]) -> None:
    quoted = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items())

    assert loki.labels_of("{" + ", ".join(quoted) + "}") == labels


@given(st.binary())
def test_any_bytes_are_a_push_or_refused(body: bytes) -> None:
    for read in (loki.of_json, loki.of_protobuf):
        try:
            entries = list(read(body))
        except DayflyError:
            continue
        for entry in entries:
            assert stored(loki.line_of(entry, AT))


@given(st.text(), st.text(), st.dictionaries(st.text(), st.text(), max_size=3))
def test_any_line_and_labels_are_a_record(line: str, labels: str, more: dict[str, str]) -> None:
    assert stored(loki.line_of((AT, line, more), AT))[0].time == AT
    try:
        loki.labels_of(labels)
    except DayflyError as error:
        assert "labels such as" in error.message  # noqa: PT017 - either is right
