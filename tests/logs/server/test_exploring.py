"""What the page shows around its records: bars, facets, completion, lines around, releases."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from asked import NOW, Answer, Server
from dayfly.logs.histogram import WIDTHS, width_of

SECOND = 10**9
NOW_NS = int(NOW) * SECOND
HOUR = 3600 * SECOND


def ask(server: Server, path: str, **told: object) -> Answer:
    return server.ask("GET", f"{path}?{urlencode(told)}")


def found(server: Server, path: str, **told: object) -> Any:  # noqa: ANN401 - JSON
    answer = ask(server, path, **told)
    assert answer.status == 200, answer.body
    return answer.json


def line(number: int, **told: object) -> Mapping[str, object]:
    """One of two streams, a second after the other."""
    stream = "stdout" if number % 2 == 0 else "access"
    usual = {"app": "web", "machine": "web-1", "release": 41, "stream": stream, "level": "info"}
    return {"time": NOW_NS - HOUR + number * SECOND, "message": f"line {number}", **usual, **told}


@pytest.fixture
def filled(server: Server) -> Server:
    """Half of it in a segment."""
    server.ingest(*(line(number, fields={"status": 200}) for number in range(20)))
    server.store.seal()
    server.ingest(*(line(number, level="error", app="jobs") for number in range(20, 30)))
    return server


def test_bars_count_by_time_and_level(filled: Server) -> None:
    answer = found(filled, "/histogram", bars=4)

    assert answer["seconds"] == 10
    assert [(bar["time"], bar["count"], bar["levels"]) for bar in answer["bars"]] == [
        ("2026-11-01T23:00:00Z", 10, {"info": 10}),
        ("2026-11-01T23:00:10Z", 10, {"info": 10}),
        ("2026-11-01T23:00:20Z", 10, {"error": 10}),
    ]
    assert (answer["since"], answer["until"]) == (
        "2026-11-01T23:00:00Z",
        "2026-11-01T23:00:29.000000001Z",
    )


def test_bars_are_of_what_the_query_finds(filled: Server) -> None:
    answer = found(filled, "/histogram", query="app:jobs", since="2026-11-01T23:00:25Z")

    assert sum(bar["count"] for bar in answer["bars"]) == 5
    assert found(filled, "/histogram", since="1h", until="50m", query="nowhere")["bars"] == []


@pytest.mark.parametrize(
    ("told", "since", "until"),
    [
        ({"since": "2h"}, "2026-11-01T22:00:00Z", "2026-11-02T00:00:00.000000001Z"),
        ({"since": "2h", "until": "30m"}, "2026-11-01T22:00:00Z", "2026-11-01T23:30:00Z"),
        ({"until": "30m"}, "2026-11-01T23:00:00Z", "2026-11-01T23:30:00Z"),
    ],
)
def test_bars_span_the_time_that_was_asked_for(
    filled: Server, told: dict[str, str], since: str, until: str
) -> None:
    answer = found(filled, "/histogram", **told)

    assert (answer["since"], answer["until"]) == (since, until)
    assert sum(bar["count"] for bar in answer["bars"]) == 30


def test_an_empty_store_has_no_bars(server: Server) -> None:
    assert found(server, "/histogram")["bars"] == []


@pytest.mark.parametrize("span", [0, 1, 59 * SECOND, 3 * HOUR, 10**16, 2**63])
@pytest.mark.parametrize("bars", [2, 60])
def test_never_more_bars_than_asked_for(span: int, bars: int) -> None:
    width = width_of(span, bars)

    assert span // width + 1 < bars + 1
    assert width in WIDTHS or span > WIDTHS[-1]


def test_facets_are_the_most_frequent_values(filled: Server) -> None:
    answer = found(filled, "/facets", names="app,status,nothing", size=5)

    assert answer == {
        "total": 30,
        "facets": [
            {
                "name": "app",
                "having": 30,
                "values": [{"value": "web", "count": 20}, {"value": "jobs", "count": 10}],
            },
            {"name": "status", "having": 20, "values": [{"value": 200, "count": 20}]},
            {"name": "nothing", "having": 0, "values": []},
        ],
        "cut": "",
    }
    assert found(filled, "/facets", query="app:jobs", size=1)["total"] == 10


def test_names_and_values_are_completed(filled: Server) -> None:
    names = found(filled, "/fields", prefix="sta")["fields"]
    values = found(filled, "/values", name="app", prefix="j")["values"]

    assert names == [{"name": "status", "types": ["number"]}]
    assert values == [{"value": "jobs", "count": 10}]
    assert [each["name"] for each in found(filled, "/fields")["fields"]][:3] == [
        "time",
        "message",
        "app",
    ]


def test_lines_around_a_record_are_of_its_stream(filled: Server) -> None:
    hit = line(10)
    told = {name: hit[name] for name in ("time", "app", "machine", "release", "stream", "message")}

    answer = found(filled, "/context", before=2, after=3, **told)

    messages = [record["message"] for record in answer["records"]]
    assert messages == ["line 6", "line 8", "line 10", "line 12", "line 14", "line 16"]
    assert messages[answer["at"]] == "line 10"


def test_lines_of_the_same_nanosecond_keep_their_order(server: Server) -> None:
    server.ingest(*({"time": NOW_NS, "message": f"line {number}"} for number in range(5)))
    server.store.seal()

    told = {"time": NOW_NS, "message": "line 2", "before": 1, "after": 1}
    answer = found(server, "/context", **told)

    assert [record["message"] for record in answer["records"]] == ["line 1", "line 2", "line 3"]
    assert answer["at"] == 1


def test_a_record_that_is_gone_leaves_the_lines_around_it(filled: Server) -> None:
    told = {"time": NOW_NS - HOUR + 10 * SECOND + 1, "app": "web", "machine": "web-1"}

    answer = found(filled, "/context", before=1, after=1, release=41, stream="stdout", **told)

    assert [record["message"] for record in answer["records"]] == ["line 10", "line 12"]
    assert answer["at"] is None


def test_patterns_that_are_new_in_a_release(server: Server) -> None:
    server.ingest(
        line(1, level="error", message="timeout after 3 s"),
        line(2, level="error", message="timeout after 5 s", release=42),
        line(3, level="error", message="no route to 10.0.0.1", release=42),
        line(4, level="critical", message="no route to 10.0.0.2", release=42),
        line(5, message="started in 3 s", release=42),
    )

    answer = found(server, "/compare", before=41, after=42)
    everything = found(server, "/compare", before=41, after=42, query="app:web")

    assert [(row["count"], row["pattern"]) for row in answer["patterns"]] == [
        (2, "no route to <ip>")
    ]
    assert {row["pattern"] for row in everything["patterns"]} == {
        "no route to <ip>",
        "started in <n> s",
    }


@pytest.mark.parametrize(
    ("told", "nothing_of"),
    [
        ({"before": 41, "after": 42}, []),
        ({"before": 40, "after": 42}, [40]),
        ({"before": 42, "after": 43}, [43]),
        ({"before": 43, "after": 44}, [43, 44]),
        ({"before": 41, "after": 42, "query": "app:none"}, []),
        ({"before": 41, "after": 42, "until": NOW_NS - HOUR + 2 * SECOND}, [42]),
        ({"before": 41, "after": 42, "after_since": NOW_NS - HOUR + 3 * SECOND}, [42]),
    ],
)
def test_a_release_without_any_record_is_named(
    server: Server, told: dict[str, object], nothing_of: list[int]
) -> None:
    server.ingest(line(1, message="calm"), line(2, message="calm", release=42))

    assert found(server, "/compare", **told)["nothing_of"] == nothing_of


def test_the_later_release_may_be_looked_at_from_a_time_on(server: Server) -> None:
    server.ingest(
        line(1, level="error", message="timeout after 3 s"),
        line(2, level="error", message="no route", release=42),
        line(30, level="error", message="timeout after 5 s", release=42),
        line(40, level="error", message="disk full", release=42),
    )

    answer = found(server, "/compare", before=41, after=42, after_since=NOW_NS - HOUR + 20 * SECOND)

    assert [row["pattern"] for row in answer["patterns"]] == ["disk full"]


@pytest.mark.parametrize(
    ("path", "told", "says"),
    [
        ("/histogram", {"bars": 1}, "bars: found '1', allowed is 2 to 1000"),
        ("/histogram", {"query": "| count()"}, "query: found a `|`, allowed are conditions only"),
        ("/facets", {"names": ","}, "names: found 0, allowed are 1 to 20 fields"),
        ("/facets", {"names": "time"}, "names: time has another value in nearly every record"),
        ("/values", {}, "name: found nothing, allowed are 1 to 1000 characters"),
        ("/context", {"app": "web"}, "time: found nothing"),
        ("/compare", {"before": "x", "after": 42}, "before: found 'x', allowed is 1 to"),
        ("/compare", {"since": "soon", "before": 1, "after": 2}, "since: found 'soon'"),
        ("/fields", {"limit": 1}, "limit: no such parameter; allowed are prefix, size, since"),
    ],
)
def test_what_is_wrong_is_said(
    server: Server, path: str, told: dict[str, object], says: str
) -> None:
    answer = ask(server, path, **told)

    assert (answer.status, answer.json["error"][: len(says)]) == (400, says)
