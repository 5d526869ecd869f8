import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest as Export,
)
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceResponse as Exported,
)

from asked import NOW, Answer, Server, serving
from dayfly.errors import DayflyError
from dayfly.logs.intake import otlp, otlprecords
from dayfly.logs.store.line import read as stored
from dayfly.logs.store.settings import Settings

AT = round(NOW - 60) * 10**9 + 123_456_789
PROTOBUF = "application/x-protobuf"


def text(value: str) -> dict[str, str]:
    return {"stringValue": value}


def pairs(**told: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - AnyValue
    return [{"key": name.replace("_", "."), "value": value} for name, value in told.items()]


def export(*records: dict[str, Any], **resource: str) -> dict[str, Any]:
    attributes = pairs(**{name: text(value) for name, value in resource.items()})
    scope = {"scope": {"name": "shop"}, "logRecords": list(records)}
    return {"resourceLogs": [{"resource": {"attributes": attributes}, "scopeLogs": [scope]}]}


def send(server: Server, told: object, **headers: str) -> Answer:
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return server.ask("POST", "/v1/logs", body, **{"Content_Type": "application/json", **headers})


RECORD = {
    "timeUnixNano": str(AT),
    "severityNumber": 17,
    "severityText": "ERROR",
    "body": text("payment refused"),
    "attributes": pairs(customer={"intValue": "7"}, http_route=text("/pay")),
    "traceId": "5b8efff798038103d269b633813fc60c",
    "spanId": "eee19b7ec3c1b174",
}


@pytest.mark.parametrize("kind", ["application/json", PROTOBUF])
@pytest.mark.parametrize("packing", ["identity", "gzip"])
def test_a_record_is_stored_with_all_that_is_told_of_it(
    server: Server, kind: str, packing: str
) -> None:
    told = export(RECORD, service_name="orders", service_version="41", host_name="web-1")
    body = json.dumps(told).encode()
    body = body if kind != PROTOBUF else otlp.of_json(body).SerializeToString()

    found = send(
        server,
        gzip.compress(body) if packing == "gzip" else body,
        Content_Type=kind,
        Content_Encoding=packing,
    )

    assert (found.status, found.headers["content-type"]) == (200, kind)
    assert found.body == (b"" if kind == PROTOBUF else b"{}")
    assert server.search().lines == [
        {
            "time": "2026-11-01T23:59:00.123456789Z",
            "app": "orders",
            "release": 41,
            "machine": "",
            "host": "web-1",
            "process": "",
            "stream": "",
            "level": "error",
            "message": "payment refused",
            "fields": {
                "customer": 7,
                "http.route": "/pay",
                "scope.name": "shop",
                "span_id": "eee19b7ec3c1b174",
                "trace_id": "5b8efff798038103d269b633813fc60c",
            },
        }
    ]


OBJECT = pairs(msg=text("m"), level=text("warn"), n={"doubleValue": 1.5})
BODIES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"body": text("x")}, {"message": "x", "level": ""}),
    ({"body": {"intValue": "5"}}, {"message": "5"}),
    (
        {"body": {"arrayValue": {"values": [text("a"), {"boolValue": True}]}}},
        {"message": '["a",true]'},
    ),
    (
        {"body": {"kvlistValue": {"values": OBJECT}}},
        {"message": "m", "level": "warning", "fields": {"scope.name": "shop", "n": 1.5}},
    ),
    ({"eventName": "login"}, {"message": "login"}),
    ({"severityText": "fatal"}, {"level": "critical"}),
    ({"severityNumber": 9, "severityText": "Notice!"}, {"level": "info"}),
    ({"severityNumber": 1}, {"level": "debug"}),
    ({"severityNumber": 24}, {"level": "critical"}),
    ({"observedTimeUnixNano": str(AT)}, {"time": "2026-11-01T23:59:00.123456789Z"}),
    ({}, {"time": "2026-11-02T00:00:00Z", "message": ""}),
    (
        {"attributes": pairs(a={"doubleValue": "NaN"}, b={"bytesValue": "aGk="}, c={})},
        {"fields": {"scope.name": "shop", "a": "nan", "b": "aGk="}},
    ),
    (
        {"attributes": pairs(scope_name=text("mine"))},
        {"fields": {"scope.name": "mine", "resource.scope.name": "shop"}},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("told", "record"), BODIES)
def test_what_a_record_may_hold(
    server: Server, told: dict[str, Any], record: dict[str, Any]
) -> None:
    assert send(server, export(told)).status == 200

    (line,) = server.search().lines
    assert {name: line[name] for name in record} == record


def test_a_version_that_is_no_number_is_a_field(server: Server) -> None:
    send(server, export(RECORD, service_version="1.4.2"))

    (line,) = server.search().lines
    assert (line["release"], line["fields"]["service.version"]) == (0, "1.4.2")


@pytest.mark.parametrize("kind", ["application/json", PROTOBUF])
def test_records_that_cannot_be_stored_are_counted_and_the_rest_is_stored(
    server: Server, kind: str
) -> None:
    many = {"attributes": pairs(**{f"a{n}": text("x") for n in range(300)})}
    told = export(RECORD, many, {"timeUnixNano": str(2**64 - 1)}, RECORD)
    body = json.dumps(told).encode()
    if kind == PROTOBUF:
        body = otlp.of_json(body).SerializeToString()

    found = send(server, body, Content_Type=kind)

    assert found.status == 200
    answer = Exported.FromString(found.body) if kind == PROTOBUF else found.json["partialSuccess"]
    if isinstance(answer, Exported):
        assert answer.partial_success.rejected_log_records == 2
    else:
        assert answer["rejectedLogRecords"] == "2"
        assert answer["errorMessage"].startswith("record 2: it has more fields")
    assert len(server.messages()) == 2


@pytest.mark.parametrize(
    ("body", "headers", "status", "says"),
    [
        (b"{", {}, 400, "no ExportLogsServiceRequest"),
        (b"[]", {}, 400, "no ExportLogsServiceRequest"),
        (b'{"resourceLogs": 5}', {}, 400, "no ExportLogsServiceRequest"),
        (b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"spanId": "x"}]}]}]}', {}, 400, "hex"),
        (b"\xff", {"Content_Type": PROTOBUF}, 400, "no ExportLogsServiceRequest"),
        (b"{}", {"Content_Type": "text/plain"}, 415, "allowed are application/x-protobuf"),
        (b"{}", {"Content_Encoding": "br"}, 415, "allowed are gzip"),
    ],
    ids=range(7),
)  # fmt: skip
def test_what_is_no_export_is_refused_whole(
    server: Server, body: bytes, headers: dict[str, str], status: int, says: str
) -> None:
    found = send(server, body, **headers)

    assert (found.status, says in found.body.decode(errors="replace")) == (status, True), found.body
    assert server.messages() == []


def test_an_empty_export_is_no_mistake(server: Server) -> None:
    assert send(server, b"{}").json == {}
    assert send(server, b"", Content_Type=PROTOBUF).status == 200


def test_a_full_disk_is_to_be_asked_again_later(tmp_path: Path) -> None:
    with serving(tmp_path, settings=Settings(reserve=1 << 60)) as server:
        found = send(server, export(RECORD))

    assert (found.status, found.headers["retry-after"], found.json["code"]) == (503, "1", 14)


@given(st.binary())
def test_any_bytes_are_an_export_or_refused(body: bytes) -> None:
    for read in (otlp.of_json, otlp.of_protobuf):
        try:
            asked = read(body)
        except DayflyError:
            continue
        lines, _ = otlprecords.read(asked, AT)
        assert len(stored(b"\n".join(lines))) == len(lines)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=30)  # each takes long to make
@given(JSON)
def test_any_json_in_the_place_of_records_is_an_export_or_refused(told: object) -> None:
    for body in (told, {"resourceLogs": told}, {"resourceLogs": [{"scopeLogs": [told]}]}):
        try:
            asked = otlp.of_json(json.dumps(body).encode(errors="replace"))
        except DayflyError:
            continue
        lines, _ = otlprecords.read(asked, AT)
        assert len(stored(b"\n".join(lines))) == len(lines)


@given(st.text(), st.integers(0, 2**63 - 1), st.dictionaries(st.text(), st.text(), max_size=5))
def test_texts_times_and_attributes_come_through(
    body: str, at: int, attributes: dict[str, str]
) -> None:
    asked = Export()
    record = asked.resource_logs.add().scope_logs.add().log_records.add()
    record.body.string_value, record.time_unix_nano = body, at
    for name, value in attributes.items():
        record.attributes.add(key=f"x.{name}").value.string_value = value

    (line,), wrong = otlprecords.read(Export.FromString(asked.SerializeToString()), AT)

    found = json.loads(line)
    assert (found["message"], found["time"], wrong) == (body, at or AT, [])
    assert found.get("fields", {}) == {f"x.{name}": value for name, value in attributes.items()}
