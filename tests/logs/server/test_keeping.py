"""Usage and deletion over HTTP."""

from urllib.parse import urlencode

import pytest

from asked import NOW, Answer, Server
from dayfly.cli.searching import usage_lines

NOW_NS = int(NOW) * 10**9


@pytest.fixture
def filled(server: Server) -> Server:
    server.ingest(
        {"time": NOW_NS - 3 * 3600 * 10**9, "message": "mail to alice", "app": "web"},
        {"time": NOW_NS - 5, "message": "mail to bob", "app": "web"},
        {"time": NOW_NS - 1, "message": "mail to alice", "app": "jobs"},
    )
    return server


def delete(server: Server, **told: object) -> Answer:
    return server.ask("DELETE", f"/records?{urlencode(told)}")


def test_usage_is_told_by_app_and_day_with_the_outlook(filled: Server) -> None:
    filled.store.seal()

    found = filled.ask("GET", "/usage").json

    assert [(row["app"], row["day"], row["records"]) for row in found["apps"]] == [
        ("jobs", "2026-11-01", 1),
        ("web", "2026-11-01", 2),
    ]
    assert found["stored"] == pytest.approx(sum(row["size"] for row in found["apps"]), abs=2)
    assert found["free"] > 0
    assert found["a_day"] > found["stored"]
    assert found["full_at"] > "2026-11-02"
    assert found["problems"] == []


def test_usage_tells_what_is_missing(filled: Server) -> None:
    filled.store.seal()
    for path in filled.store.folder.glob("days/*/*.parquet"):
        path.write_bytes(b"no parquet")
    notices = [line["notice"] for line in filled.search().lines]

    (problem,) = filled.ask("GET", "/usage").json["problems"]

    assert notices == [{"cut": f"without {problem}"}]
    assert usage_lines(filled.ask("GET", "/usage").json)[1].endswith(f"missing: {problem}\x1b[0m")


def test_what_is_deleted_is_counted_and_gone(filled: Server) -> None:
    assert delete(filled, query="alice", since="1h").json == {"deleted": 1, "without": []}
    assert filled.messages() == ["mail to bob", "mail to alice"]
    assert delete(filled, query="alice").json == {"deleted": 1, "without": []}
    assert delete(filled, query="*").json["deleted"] == 1
    assert filled.messages() == []


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({}, "query: found nothing, allowed is what is to be deleted; `*` is all of it"),
        ({"since": "1h"}, "query: found nothing"),
        ({"query": "alice | count()"}, "query: found a `|`"),
        ({"query": "alice", "limit": 3}, "limit: no such parameter"),
        ({"query": "alice)"}, "column 6"),
    ],
)
def test_a_wrong_deletion_deletes_nothing(
    filled: Server, told: dict[str, object], says: str
) -> None:
    found = delete(filled, **told)

    assert (found.status, found.json["error"][: len(says)]) == (400, says)
    assert len(filled.messages()) == 3
