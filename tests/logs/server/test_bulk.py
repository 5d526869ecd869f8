import json
import time
from typing import Any

import pytest

from asked import Answer, Server
from dayfly.logs.intake.documents import record_of
from dayfly.logs.store.line import written

PRODUCT = "x-elastic-product"


def bulk(server: Server, *lines: object, path: str = "/_bulk") -> Answer:
    body = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    found = server.ask("POST", path, body.encode(), Content_Type="application/x-ndjson")
    assert found.headers[PRODUCT] == "Elasticsearch"
    return found


def test_documents_are_stored_and_answered_one_by_one(server: Server) -> None:
    found = bulk(
        server,
        {"index": {"_index": "logs-2026"}},
        {"@timestamp": "2026-11-01T01:00:00Z", "message": "one", "log": {"level": "WARN"}},
        {"create": {"_index": "logs-2026", "_id": "b"}},
        {"@timestamp": 1_793_500_000_000, "msg": "two", "service": {"name": "orders"}},
    )

    first, second = found.json["items"]
    assert (found.status, found.json["errors"]) == (200, False)
    assert (first["index"]["status"], first["index"]["_index"]) == (201, "logs-2026")
    assert (second["create"]["_id"], second["create"]["result"]) == ("b", "created")
    assert server.messages(order="oldest") == ["one", "two"]
    assert server.messages("level:warning") == ["one"]
    assert server.messages("app:orders time:2026-11-01T02:26:40Z") == ["two"]


def test_each_wrong_document_has_an_error_of_its_own(server: Server) -> None:
    found = bulk(
        server,
        {"index": {}},
        {"message": "good"},
        {"index": {"_id": "broken"}},
        '{"message": ',
        {"index": {}},
        "[1]",
        {"delete": {"_id": "x"}},
        {"update": {"_id": "x"}},
        {"doc": {"a": 1}},
        {"index": {}},
        {"message": "good too"},
        path="/logs/_bulk",
    ).json

    outcomes = [next(iter(item.items())) for item in found["items"]]
    assert found["errors"] is True
    assert [(verb, told["status"]) for verb, told in outcomes] == [
        ("index", 201),
        ("index", 400),
        ("index", 400),
        ("delete", 400),
        ("update", 400),
        ("index", 201),
    ]
    assert outcomes[1][1]["error"]["type"] == "document_parsing_exception"
    assert outcomes[3][1]["error"]["reason"].startswith("[delete] is not possible")
    assert {told["_index"] for _, told in outcomes} == {"logs"}
    assert sorted(server.messages()) == ["good", "good too"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "request body is required"),
        (b"\n\n", "request body is required"),
        (b'{"message": "x"}\n', "Malformed action/metadata line [1]"),
        (b'{"index": {}}\n{"message": "x"}\nnonsense\n', "Malformed action/metadata line [3]"),
        (b'{"store": {}}\n{}\n', "one of [create, delete, index, update] but found [store]"),
    ],
)
def test_what_is_no_bulk_body_is_refused_whole(server: Server, body: bytes, says: str) -> None:
    found = server.ask("POST", "/_bulk", body)

    assert found.status == found.json["status"] == 400
    assert says in found.json["error"]["reason"]
    assert server.messages() == []


def test_the_same_documents_with_ids_are_taken_once(server: Server) -> None:
    lines = [{"create": {"_index": "x", "_id": "1"}}, {"message": "a"}]

    again = [bulk(server, *lines).json for _ in range(3)]

    assert [found["items"][0]["create"]["status"] for found in again] == [201, 201, 201]
    assert server.messages() == ["a"]


def test_another_document_with_an_id_that_was_there_is_stored(server: Server) -> None:
    for verb in ("create", "index"):
        for message in (f"{verb} 1", f"{verb} 2", f"{verb} 2"):
            bulk(server, {verb: {"_index": "x", "_id": "nightly"}}, {"message": message})

    assert sorted(server.messages()) == ["create 1", "create 2", "index 1", "index 2"]


def test_what_was_refused_and_comes_again_put_right_is_stored(server: Server) -> None:
    good = [{"create": {"_id": "1"}}, {"message": "good"}, {"create": {"_id": "2"}}]

    broken = bulk(server, *good, '{"message": ').json
    again = bulk(server, *good[:2]).json
    right = bulk(server, *good, {"message": "put right"}).json

    told = [[item["create"]["status"] for item in each["items"]] for each in (broken, again, right)]
    assert told == [[201, 400], [201], [201, 201]]
    assert sorted(server.messages()) == ["good", "good", "put right"]


def test_without_ids_every_body_is_new(server: Server) -> None:
    for _ in range(2):
        bulk(server, {"create": {}}, {"message": "a"})

    assert server.messages() == ["a", "a"]


DOCUMENTS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"time": 7, "message": "{}"}),
    ({"a": 1}, {"time": 7, "message": '{"a":1}', "fields": {"a": 1}}),
    (
        {"@timestamp": "2026-11-01T00:00:00.5+01:00", "message": "m", "n": {"x": [1, None]}},
        {"time": 1_793_487_600_500_000_000, "message": "m", "fields": {"n.x": "[1,null]"}},
    ),
    (
        {"@timestamp": "9999-12-31T00:00:00Z", "message": "m"},
        {"time": 7, "message": "m", "fields": {"@timestamp": "9999-12-31T00:00:00Z"}},
    ),
    (
        {"@timestamp": "soon", "message": "m"},
        {"time": 7, "message": "m", "fields": {"@timestamp": "soon"}},
    ),
    (
        {"message": "m", "host": {"name": "h1"}, "release": 3, "stream": "stdout", "app": "web"},
        {"time": 7, "message": "m", "release": 3, "app": "web", "host": "h1", "stream": "stdout"},
    ),
    (
        {
            "message": "m",
            "fromhost": "h2",
            "facility": "daemon",
            "priority": "err",
            "timereported": "2026-11-01T00:00:00Z",
        },
        {
            "time": 1_793_491_200_000_000_000,
            "message": "m",
            "level": "error",
            "host": "h2",
            "fields": {"facility": "daemon"},
        },
    ),
]


@pytest.mark.parametrize(("document", "record"), DOCUMENTS)
def test_a_document_becomes_a_record(document: dict[str, Any], record: dict[str, Any]) -> None:
    line = json.loads(written([record_of(document, 7)]))

    assert {name: value for name, value in line.items() if value} == record


@pytest.mark.parametrize(
    ("method", "path", "status", "has"),
    [
        ("GET", "/", 200, '"tagline":"You Know, for Search"'),
        ("HEAD", "/", 200, ""),
        ("GET", "/_license", 200, '"type":"basic"'),
        ("GET", "/_cluster/health", 200, '"status":"green"'),
        ("GET", "/_nodes/_all/http", 200, '"nodes":{}'),
        ("GET", "/_index_template", 200, '"index_templates":[]'),
        ("GET", "/_index_template/mine", 404, "resource_not_found_exception"),
        ("HEAD", "/_index_template/mine", 404, ""),
        ("GET", "/_ilm/policy/mine", 404, "resource_not_found_exception"),
        ("GET", "/_data_stream", 200, '"data_streams":[]'),
        ("POST", "/_refresh", 200, '"failed":0'),
        ("POST", "/some-index/_refresh", 200, '"failed":0'),
        ("HEAD", "/some-index", 404, ""),
        ("GET", "/some-index", 404, "index_not_found_exception"),
    ],
)
def test_what_senders_ask_first_is_answered(
    server: Server, method: str, path: str, status: int, has: str
) -> None:
    found = server.ask(method, path)

    assert (found.status, has in found.body.decode()) == (status, True)
    assert found.headers[PRODUCT] == "Elasticsearch"


@pytest.mark.parametrize(
    "path",
    [
        "/_index_template/mine",
        "/_ingest/pipeline/mine",
        "/_ilm/policy/mine",
        "/_data_stream/mine",
        "/an-index",
    ],
)
def test_what_is_not_kept_is_acknowledged_with_a_warning(server: Server, path: str) -> None:
    found = server.ask("PUT", path, b"{}")

    assert found.json["acknowledged"] is True
    assert found.headers["warning"] == '299 Dayfly "not kept: every field is stored as it comes"'


def test_a_question_is_no_index(server: Server) -> None:
    assert [server.ask("PUT", path).status for path in ("/search", "/usage")] == [405, 405]


def test_500_documents_are_taken_quickly(server: Server) -> None:
    document = {"@timestamp": "2026-11-01T00:00:00Z", "message": "GET /orders 200", "status": 200}
    lines = [line for _ in range(500) for line in ({"create": {}}, document)]
    begun = time.monotonic()

    assert bulk(server, *lines).json["errors"] is False

    assert time.monotonic() - begun < 5
    assert server.search("| count()").lines == [{"count": 500}]
