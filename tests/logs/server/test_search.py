import csv
import io
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from asked import NOW, Server, answering, serving
from dayfly.clock import Stop
from dayfly.errors import DayflyError
from dayfly.logs.record import Record
from dayfly.logs.server import application
from dayfly.logs.store.store import Ask, Store

HOUR = 3600 * 10**9
NOW_NS = int(NOW) * 10**9


def records() -> list[dict[str, object]]:
    return [
        {"time": NOW_NS - 3 * HOUR, "message": "oldest", "app": "web", "level": "info"},
        {"time": NOW_NS - HOUR, "message": "refused, twice", "app": "web", "level": "error"},
        {
            "time": NOW_NS - 1,
            "message": 'newest "é"',
            "app": "jobs",
            "release": 41,
            "fields": {"status": 500, "ok": True},
        },
    ]


@pytest.fixture
def filled(server: Server) -> Server:
    assert server.ingest(*records()).json == {"taken": 3}
    return server


def test_what_was_taken_is_found_newest_first(filled: Server) -> None:
    assert filled.messages() == ['newest "é"', "refused, twice", "oldest"]
    assert filled.messages(order="oldest", limit=1) == ["oldest"]
    assert filled.messages("app:web level:error") == ["refused, twice"]


def test_a_record_is_told_whole_and_its_nanoseconds_are_kept(filled: Server) -> None:
    assert filled.search("newest").lines == [
        {
            "time": "2026-11-01T23:59:59.999999999Z",
            "app": "jobs",
            "release": 41,
            "machine": "",
            "host": "",
            "process": "",
            "stream": "",
            "level": "",
            "message": 'newest "é"',
            "fields": {"status": 500, "ok": True},
        }
    ]


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"since": "2h"}, 2),
        ({"until": "2h"}, 1),
        ({"since": "2026-11-01T21:00:00Z", "until": "2026-11-01T23:30"}, 2),
        ({"since": str(NOW_NS)}, 0),
        ({"limit": "2"}, 2),
    ],
)
def test_a_search_is_bound_in_time_and_number(
    filled: Server, told: dict[str, str], found: int
) -> None:
    assert len(filled.messages(**told)) == found


def test_csv_has_a_head_and_quotes(filled: Server) -> None:
    found = filled.search("", "text/csv")

    head, newest, *_ = csv.reader(io.StringIO(found.body.decode()))
    row = dict(zip(head, newest, strict=True))
    assert found.headers["content-type"] == "text/csv"
    assert (row["message"], row["release"]) == ('newest "é"', "41")
    assert json.loads(row["fields"]) == {"status": 500, "ok": True}


@pytest.mark.parametrize(
    ("query", "head"),
    [
        ("", "time,app,release,machine,host,process,stream,level,message,fields"),
        ("| fields message, status", "message,status"),
        ("| fields message, message", "message"),
        ("| count() by app", "app,count"),
        ("| count() by app, 5m", "time,app,count"),
        ("| top 3 path", "path,count"),
        ("| p99(duration) by app", "app,p99,count"),
        ("| patterns", "count,first,last,pattern"),
    ],
)
def test_csv_names_its_columns_also_without_a_row(filled: Server, query: str, head: str) -> None:
    found = filled.search(f"app:none {query}", "text/csv").body
    some = filled.search(query, "text/csv").body

    assert found == f"{head}\r\n".encode()
    assert some.startswith(found)


def test_no_value_of_csv_passes_for_what_the_store_says(server: Server) -> None:
    texts = ["# cut: after 1 s", "# error: a, b", '#"quoted"', "#two\n# lines", "#", "plain"]
    server.ingest(*({"time": NOW_NS + n, "message": text} for n, text in enumerate(texts)))

    found = server.search("| fields message, app", "text/csv", order="oldest").body.decode()

    assert not found.startswith("#")
    assert "\r\n#" not in found
    assert [row[0] for row in csv.reader(io.StringIO(found, newline=""))] == ["message", *texts]


def test_a_number_is_one_value_however_it_was_written(server: Server) -> None:
    server.ingest(
        *(
            {"time": NOW_NS + n, "message": "x", "fields": {"status": status}}
            for n, status in enumerate([500, 500.0, "500", 500.5])
        )
    )

    counted = [{"status": 500, "count": 3}, {"status": 500.5, "count": 1}]
    assert [
        {**row, "status": float(row["status"])}
        for row in server.search("| count() by status").lines
    ] == counted
    (facet,) = server.ask("GET", "/facets?names=status").json["facets"]
    assert [each["count"] for each in facet["values"]] == [3, 1]
    assert len(server.search("status:500").lines) == 3


def test_no_text_of_csv_is_a_formula_of_a_spreadsheet(server: Server) -> None:
    texts = ["=1+1", "+cmd|x", "@SUM(A1)", "-x", "-5", "+4.5", "a=b"]
    server.ingest(
        *(
            {"time": NOW_NS + n, "message": text, "fields": {"n": -n}}
            for n, text in enumerate(texts)
        )
    )

    found = server.search("| fields message, n", "text/csv", order="oldest").body.decode()

    assert list(csv.reader(io.StringIO(found, newline="")))[1:] == [
        [text, str(-n)]
        for n, text in enumerate(["'=1+1", "'+cmd|x", "'@SUM(A1)", "'-x", *texts[4:]])
    ]


def test_pipes_make_rows(filled: Server) -> None:
    assert filled.search("| count() by app").lines == [
        {"app": "web", "count": 2},
        {"app": "jobs", "count": 1},
    ]
    assert filled.search("| fields message, status", limit=1).lines == [
        {"message": 'newest "é"', "status": 500}
    ]
    assert filled.search("app:web | count()", "text/csv").body == b"count\r\n2\r\n"


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"limit": "0"}, "limit: found '0', allowed is 1 to 100000"),
        ({"since": "soon"}, "since: found 'soon', allowed is a date such as"),
        ({"order": "up"}, "order: found 'up', allowed are newest and oldest"),
        ({"seconds": "9999"}, "seconds: found '9999', allowed is 1 to 600"),
        ({"querry": "x"}, "querry: no such parameter; allowed are query, since"),
    ],
)
def test_a_wrong_parameter_is_refused(server: Server, told: dict[str, str], says: str) -> None:
    found = server.search(**told)

    assert found.status == 400
    assert found.json["error"].startswith(says)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/search?query=web&query=x", None),
        ("GET", "/histogram?query=web&bars=3&query=web", None),
        ("DELETE", "/records?query=app:web&query=x", None),
        ("POST", "/insert/jsonline?_msg_field=a&_msg_field=b", b'{"a": "x", "b": "y"}'),
    ],
)
def test_a_parameter_that_is_told_twice_is_refused(
    filled: Server, method: str, path: str, body: bytes | None
) -> None:
    there = filled.messages()

    found = filled.ask(method, path, body)

    assert (found.status, filled.messages()) == (400, there)
    assert found.json["error"].endswith(": found more than once, allowed is once")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("OPTIONS", "/search", 405),
        ("POST", "/search", 405),
        ("POST", "/_search", 405),
        ("GET", "/_cat/indices", 404),
        ("POST", "/v1/traces", 404),
        ("POST", "/an-index/_doc", 404),
    ],
)
def test_what_is_not_answered_is_told_as_json(
    server: Server, method: str, path: str, status: int
) -> None:
    found = server.ask(method, path)

    assert found.status == status
    assert found.json["error"].startswith(f"{method} {path}: ")
    assert found.json["hint"]


def test_what_fails_is_told_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "usage", lambda _: 1 / 0)
    with serving(tmp_path) as server:
        found = server.ask("GET", "/usage")

    assert (found.status, found.json["error"]) == (500, "the log server failed")


def test_a_wrong_query_is_refused_with_its_column(server: Server) -> None:
    found = server.search("level:error )")

    assert (found.status, found.json["column"]) == (400, 13)
    assert found.json["error"].startswith("column 13: found `)`")


class Endless:
    """A store of as many records as are asked for, after `pause` seconds each."""

    def __init__(self, pause: float, *, fails_after: int = -1, message: str = "x") -> None:
        self.pause = pause
        self.fails_after = fails_after
        self.message = message
        self.given = 0
        self.stopped = threading.Event()
        self.cut = ""

    def search(self, *_: object, ask: Ask, **__: object) -> "Endless":
        self._stop = ask.stop
        return self

    def append(self, *_: object, **__: object) -> int:
        return 1

    def __iter__(self) -> Iterator[Record]:
        return self._make(self._stop)

    def _make(self, stop: Stop) -> Iterator[Record]:
        try:
            while True:
                if self.given == self.fails_after:
                    raise DayflyError("the disk broke")
                stop.wait(self.pause)
                self.given += 1
                yield Record(time=self.given, message=self.message)
        finally:
            self.stopped.set()


def test_results_come_while_the_search_goes_on() -> None:
    store = Endless(0.2)
    with answering(application(store)) as port:  # type: ignore[arg-type]
        connection = Server(store, port).connection()  # type: ignore[arg-type]
        connection.request("GET", "/search")
        answer = connection.getresponse()

        assert json.loads(answer.readline())["message"] == "x"
        assert store.given < 5
        connection.close()
        answer.close()
        assert store.stopped.wait(5)


def test_who_leaves_before_anything_is_found_stops_the_search() -> None:
    store = Endless(60)
    with answering(application(store)) as port:  # type: ignore[arg-type]
        connection = Server(store, port).connection()  # type: ignore[arg-type]
        connection.request("GET", "/search")
        time.sleep(0.3)
        assert not store.stopped.is_set()
        connection.close()

        assert store.stopped.wait(5)


def test_who_does_not_read_holds_the_search_back() -> None:
    store = Endless(0, message="x" * 10_000)
    with answering(application(store)) as port:  # type: ignore[arg-type]
        connection = Server(store, port).connection()  # type: ignore[arg-type]
        connection.request("GET", "/search")
        time.sleep(0.5)
        given = store.given
        time.sleep(0.5)

        assert store.given == given < 10_000
        connection.close()
        assert store.stopped.wait(5)


def test_an_error_in_between_is_the_last_line() -> None:
    store = Endless(0, fails_after=3)
    with answering(application(store)) as port:  # type: ignore[arg-type]
        found = Server(store, port).search()  # type: ignore[arg-type]

    assert [line.get("message") for line in found.lines[:3]] == ["x"] * 3
    assert found.lines[3] == {"notice": {"error": "the disk broke", "hint": ""}}


def test_an_error_before_anything_has_a_status() -> None:
    with answering(application(Endless(0, fails_after=0))) as port:  # type: ignore[arg-type]
        found = Server(Endless(0), port).search()  # type: ignore[arg-type]

    assert (found.status, found.json["error"]) == (500, "the disk broke")


def test_what_was_cut_is_the_last_line() -> None:
    store = Endless(0, fails_after=-1)
    store.cut = "cut after 60 s"
    store._make = lambda _: iter([Record(time=1, message="x")])  # type: ignore[method-assign]
    with answering(application(store)) as port:  # type: ignore[arg-type]
        server = Server(store, port)  # type: ignore[arg-type]

        assert server.search().lines[-1] == {"notice": {"cut": "cut after 60 s"}}
        assert server.search("", "text/csv").body.endswith(b"# cut: cut after 60 s\r\n")


def test_searches_that_take_long_do_not_hold_up_what_is_sent() -> None:
    store = Endless(60)
    with answering(application(store)) as port:  # type: ignore[arg-type]
        server = Server(store, port)  # type: ignore[arg-type]
        searches = [server.connection() for _ in range(100)]
        for search in searches:
            search.request("GET", "/search")
        begun = time.monotonic()

        assert server.ingest({"time": 1, "message": "x"}).json == {"taken": 1}

        assert time.monotonic() - begun < 20
        for search in searches:
            search.close()
