"""What a person sees of the log store; a real server answers."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from asked import NOW, Server, serving
from dayfly.cli.records import marker, record_line
from dayfly.cli.searching import Asked, found
from dayfly.client import Client, ClientError
from dayfly.logs.query.instants import iso
from dayfly.logs.query.parse import parse
from dayfly.logs.query.problem import QueryError

NOW_NS = int(NOW) * 10**9
SECOND = 10**9
RECORD = {
    "time": "2026-11-01T23:59:59.5Z",
    "app": "orders",
    "release": 41,
    "machine": "m1",
    "host": "",
    "process": "web",
    "stream": "stderr",
    "level": "error",
    "message": "Timeout of \x1b[2J it",
    "fields": {"status": 500, "ok": True},
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path) as served:
        served.ingest(
            {"time": NOW_NS - 2 * SECOND, "message": "old", "app": "web"},
            {"time": NOW_NS - SECOND, "message": "new", "app": "web", "level": "error"},
        )
        yield served


@pytest.fixture
def client(server: Server) -> Client:
    return Client(server.address, "", environment="production")


def test_fields_that_are_called_as_what_is_told_of_a_search_are_fields(
    server: Server, client: Client
) -> None:
    server.ingest(
        {"time": NOW_NS, "message": "x", "app": "odd", "fields": {"cut": "hair", "error": "no"}},
        {"time": NOW_NS, "message": "y", "app": "odd", "fields": {"hint": "yes", "error": "no"}},
    )

    assert any("hair" in line for line in found(client, Asked(query="app:odd x | fields cut")))
    assert list(found(client, Asked(query="app:odd x | fields cut", json=True))) == [
        '{"cut": "hair"}'
    ]
    assert list(found(client, Asked(query="app:odd y | fields error, hint", json=True))) == [
        '{"error": "no", "hint": "yes"}'
    ]


def test_no_record_can_pass_for_what_the_store_says(server: Server, client: Client) -> None:
    server.ingest(
        {
            "time": NOW_NS,
            "message": "x",
            "app": "evil",
            "fields": {"notice": True, "cut": "hair", "error": "no", "hint": "none"},
        }
    )

    for names in ("notice, error, hint", "cut, notice"):
        (line,) = found(client, Asked(query=f"app:evil | fields {names}", json=True))
        assert set(json.loads(line)) == set(names.split(", "))
        assert len(list(found(client, Asked(query=f"app:evil | fields {names}")))) == 2


def test_a_record_is_one_line_that_cannot_act_on_the_terminal() -> None:
    line = record_line(RECORD, marker(parse("timeout NOT it")))

    assert line == (
        "\x1b[2m2026-11-01 23:59:59.500\x1b[0m \x1b[1;31merror\x1b[0m   "
        " \x1b[2morders.41 m1 stderr\x1b[0m"
        " \x1b[36mTimeout\x1b[0m of  it \x1b[2mstatus=500 ok=true\x1b[0m"
    )


@pytest.mark.parametrize(
    ("query", "marked"),
    [
        ("a.b", "x <a.b> axb"),
        ("ax* OR x", "<x> a.b <axb>"),
        ("/a.b/", "x <a.b> <axb>"),
        ("message:/x|z/", "<x> a.b a<x>b"),
        ('"X A"', "<x a>.b axb"),
        ("NOT x app:a", "x a.b axb"),
        (r"what\?\ #", "x a.b axb"),
    ],
)
def test_what_was_asked_for_is_marked(query: str, marked: str) -> None:
    shown = marker(parse(query))("x a.b axb")

    assert shown.replace("\x1b[36m", "<").replace("\x1b[0m", ">") == marked


def test_a_message_cannot_bring_marks_of_its_own() -> None:
    assert marker(parse('"b"'))("a\ue000b\ue001") == "a\x1b[36mb\x1b[0m"


def test_records_are_shown_newest_first(client: Client) -> None:
    lines = list(found(client, Asked(query="app:web", limit=10)))

    assert [line.split()[-1] for line in lines] == ["new", "old"]


def test_json_is_one_object_a_line(client: Client) -> None:
    (line,) = found(client, Asked(query="level:error", json=True))

    assert json.loads(line)["time"] == iso(NOW_NS - SECOND)


def test_a_pipe_is_shown_as_a_table(client: Client) -> None:
    lines = list(found(client, Asked(query="| count() by app")))

    assert [line.split() for line in lines] == [
        ["\x1b[2mapp\x1b[0m", "\x1b[2mcount\x1b[0m"],
        ["web", "2"],
    ]


def test_what_is_wrong_is_said_before_or_by_the_server(client: Client) -> None:
    with pytest.raises(QueryError, match="column 1"):
        list(found(client, Asked(query=")")))
    with pytest.raises(ClientError, match="since: found 'soon', allowed is a date"):
        list(found(client, Asked(query="", since="soon")))
