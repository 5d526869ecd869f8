"""The logs page as HTML: what it asks the log store, and how it shows the answer."""

import http.client
import json
import re
import threading
import time
from collections.abc import Iterator
from html import unescape
from urllib.parse import urlencode

import pytest

from asked import Server
from fake_server import FakeEnvironment
from fake_server.lines import ATTACKS, HOUR, NOW_NS, record
from fake_server.visitor import Visitor

OF_MACHINE = {"query": 'machine:"orders-12-web-1"', "since": ""}
OF_RELEASE = {"query": 'app:"orders" release:12', "since": ""}


def page(visitor: Visitor, path: str = "/logs", **told: object) -> str:
    """Its HTML; what is asked for is a year, since the store's clock stands still."""
    answer, body = visitor.get(f"{path}?{urlencode({'since': '', **told})}")
    assert answer.status == 200, body
    return body


def texts(body: str) -> list[str]:
    """The messages that are shown."""
    found = re.findall(r'<span class="text">(.*?)</span></summary>', body, re.DOTALL)
    return [unescape(re.sub(r"</?mark>", "", text)) for text in found]


def test_records_are_shown_newest_first(visitor: Visitor, store: Server) -> None:
    store.ingest(*(record(n, level="error" if n == 2 else "info") for n in range(3)))
    body = page(visitor)

    assert texts(body) == ["line 2", "line 1", "line 0"]
    assert '<li class="record bad"' in body
    assert "2026-11-01 23:00:02.000" in body
    assert "orders.12 orders-12-web-1 stdout" in body
    assert 'href="/releases/12"' in body


def test_the_usual_time_is_a_day(visitor: Visitor, store: Server) -> None:
    store.ingest(record(0, "today"), {**record(0, "long ago"), "time": NOW_NS - 30 * HOUR})

    assert texts(visitor.get("/logs")[1]) == ["today"]
    assert texts(page(visitor)) == ["today", "long ago"]
    assert texts(page(visitor, since="2026-10-31", until="20h")) == ["long ago"]


def test_what_was_asked_for_is_marked(visitor: Visitor, store: Server) -> None:
    store.ingest(record(0, "Timeout <b> after a timeout; refunds"))
    body = page(visitor, query="timeout refund* /<b>/")

    assert (
        "<mark>Timeout</mark> <mark>&lt;b&gt;</mark> after a <mark>timeout</mark>;"
        " <mark>refunds</mark>" in body
    )


def test_a_wrong_query_points_at_its_column(visitor: Visitor, store: Server) -> None:
    answer, body = visitor.get(f"/logs?{urlencode({'query': 'app:x level:>=loud'})}")

    assert answer.status == 400
    assert "column 15: found `loud`" in unescape(body)
    assert "app:x level:&gt;=loud\n              ^" in body
    assert 'aria-invalid="true"' in body
    assert 'data-column="15"' in body
    assert 'value="app:x level:&gt;=loud"' in body


def test_a_wrong_time_is_told_where_records_would_be(visitor: Visitor, store: Server) -> None:
    assert "since: found &#39;yesterday&#39;" in page(visitor, since="yesterday")


def test_without_a_store_the_page_says_so(visitor: Visitor) -> None:
    assert "does not answer" in page(visitor)
    assert "`dayfly up` starts it." in page(visitor)


def test_older_pages_leave_nothing_out_and_tell_nothing_twice(
    visitor: Visitor, store: Server
) -> None:
    """Also where the border lies between records of one nanosecond."""
    early = [record(n) for n in range(150)]
    same = [record(200, f"same {n}") for n in range(500)]
    store.ingest(*early, *same)
    shown, body, pages = list[str](), page(visitor), 1
    while older := re.search(r'<a href="([^"]+)" rel="next">', body):
        shown += texts(body)
        body, pages = visitor.get(unescape(older[1]))[1], pages + 1
    shown += texts(body)

    assert pages == 4
    assert len(shown) == 650
    assert sorted(shown) == sorted(each["message"] for each in (*early, *same))
    assert ">Newest</a>" in body


def test_a_click_narrows_the_query(visitor: Visitor, store: Server) -> None:
    answer, _ = visitor.get(f"/logs?{urlencode({'query': 'a OR b', 'include': 'app:orders'})}")
    assert answer.status == 303
    assert answer.headers["Location"] == f"/logs?{urlencode({'query': '(a OR b) app:orders'})}"

    again = {"query": "timeout app:orders", "since": "1h", "exclude": "app:orders"}
    location = visitor.get(f"/logs?{urlencode(again)}")[0].headers["Location"]
    assert location == f"/logs?{urlencode({'query': 'timeout NOT app:orders', 'since': '1h'})}"


def test_every_field_can_be_clicked(visitor: Visitor, store: Server) -> None:
    store.ingest(record(0, "x", fields={"path": "/a b", "status": 503, "ok": True, "a b": "1"}))
    body = unescape(page(visitor))

    for condition in ('path:"/a b"', "status:503", "ok:true", '"a b":"1"', "level:info"):
        assert f'name="include" value="{condition}"' in body


def test_what_a_pipe_made_is_a_table(visitor: Visitor, store: Server) -> None:
    store.ingest(record(0), record(1, app="web"), record(2, app="web"))
    body = re.sub(
        r"<span class=\"choose\">.*?</span>\s*",
        "",
        page(visitor, query="| count() by app"),
        flags=re.DOTALL,
    )

    assert '<th scope="col">app</th><th scope="col">count</th>' in body
    assert body.index('<td>web</td><td class="number">2</td>') < body.index("<td>orders</td>")
    assert "line 0" in page(visitor, query="| fields message, app")


def test_lines_around_are_of_the_same_stream(visitor: Visitor, store: Server) -> None:
    store.ingest(*(record(n, stream="stdout" if n % 2 else "access") for n in range(100)))
    body = page(visitor, query='"line 51"')
    found = re.search(r'href="(/logs/around[^"]+)"', body)
    assert found
    beside = visitor.get(unescape(found[1]))[1]

    assert texts(beside) == [f"line {n}" for n in range(1, 100, 2)][:55]
    here = re.search(r'aria-current="true">\s*<details open>.*?</summary>', beside, re.DOTALL)
    assert here
    assert "line 51" in here[0]


def test_a_line_of_a_megabyte_is_cut(visitor: Visitor, store: Server) -> None:
    store.ingest(record(0, "x" * 1_000_000, fields={f"f{n}": "y" * 9000 for n in range(200)}))
    body = page(visitor)

    assert len(body) < 100_000
    assert "992,000 more characters" in body
    assert "140 more fields" in body
    found = re.search(r'href="(/logs/around[^"]+)"', body)
    assert found
    assert 'aria-current="true"' in visitor.get(unescape(found[1]))[1]


@pytest.mark.parametrize("path", ["/logs", "/logs/around?time=1"])
def test_without_a_session_there_are_no_logs(stranger: Visitor, store: Server, path: str) -> None:
    store.ingest(record(0, "secret"))
    answer, body = stranger.get(path)

    assert answer.status == 401
    assert "secret" not in body


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_a_line_says_stays_text(visitor: Visitor, store: Server, attack: str) -> None:
    names = ("app", "machine", "host", "process", "stream", "level")
    store.ingest(
        record(0, attack, fields={attack: attack, "f": attack}, **dict.fromkeys(names, attack))
    )
    pages = [
        page(visitor, query=query) for query in ("", "| count() by app, level, f", "| patterns")
    ]
    pages += [page(visitor, query=f'"{attack}"'.replace("\\", "\\\\")) if '"' not in attack else ""]
    found = re.search(r'href="(/logs/around[^"]+)"', pages[0])
    assert found
    pages.append(visitor.get(unescape(found[1]))[1])

    for body in pages:
        bare = re.sub(r'<script src="/static/[a-z]+\.js"[^>]*></script>', "", body)
        assert not re.search(r"<(script|img|svg/|h1>owned|b>|a href='|/textarea)", bare)
        assert not re.search(r"<[^>]* on[a-z]+=", re.sub(r'"[^"]*"', '""', bare))
        assert not {"\x1b", "\u202e", "\u2066", "\x00", "\x85"} & set(body)
        assert " style=" not in re.sub(r'"[^"]*"', '""', bare)


def test_releases_and_machines_lead_to_their_logs(visitor: Visitor, store: Server) -> None:
    store.ingest(record(0, "of it", machine="orders-12-web-1"), record(1, "other", machine="x"))
    overview, release = visitor.get("/")[1], visitor.get("/releases/12")[1]

    assert 'href="/logs">Logs</a>' in overview
    machine = f"/logs?{urlencode(OF_MACHINE)}"
    assert machine in unescape(overview)
    assert machine in unescape(release)
    assert texts(visitor.get(machine)[1]) == ["of it"]
    whole = f"/logs?{urlencode(OF_RELEASE)}"
    assert whole in unescape(release)
    assert texts(visitor.get(whole)[1]) == ["other", "of it"]


def test_bars_are_links_to_their_time(visitor: Visitor, store: Server) -> None:
    store.ingest(*(record(n * 10, level="error" if n < 5 else "info") for n in range(30)))
    body = unescape(page(visitor, query="app:orders"))
    slots = re.findall(r'<a class="slot" href="([^"]+)".*?data-count="(\d+)"', body)

    assert sum(int(count) for _, count in slots) == 30
    assert "<strong>30</strong> records" in body
    assert '<span class="bad">error 5</span>' in body
    assert texts(visitor.get(slots[0][0])[1])[-1] == "line 0"
    wider = re.search(r'<a href="([^"]+)">Zoom out</a>', body)
    assert wider
    assert len(texts(visitor.get(wider[1])[1])) == 30


def test_facets_count_and_lead_on(visitor: Visitor, store: Server) -> None:
    store.ingest(*(record(n, app="web" if n < 7 else "orders") for n in range(10)))
    body = re.sub(r"\s+", " ", unescape(page(visitor, query="line | count()")))

    assert '<span class="value" title="web">web</span> <span class="number">7</span>' in body
    assert 'name="exclude" value="app:web"' in body
    assert '<span class="value">without</span>' not in body


def test_what_is_beside_says_when_it_was_cut_or_failed(visitor: Visitor) -> None:
    assert "No histogram: The server of environment production does not answer" in page(visitor)


def test_patterns_lead_to_their_records(visitor: Visitor, store: Server) -> None:
    odd = 'GET /a?b=(1) took 5 ms\n\t"<b>" [x]'
    store.ingest(*(record(n, f"order {n} paid by 10.0.0.{n}") for n in range(9)), record(9, odd))
    body = page(visitor)
    found = re.search(r'<a href="([^"]+)">Patterns</a>', body)
    assert found
    groups = visitor.get(unescape(found[1]))[1]

    assert "order &lt;n&gt; paid by &lt;ip&gt;" in groups
    ways = [unescape(way) for way in re.findall(r'href="([^"]+)" title="Its records"', groups)]
    assert [len(texts(visitor.get(way)[1])) for way in ways] == [9, 1]
    back = re.search(r'<a href="([^"]+)">Records</a>', groups)
    assert back
    assert len(texts(visitor.get(unescape(back[1]))[1])) == 10


def test_two_releases_are_compared(visitor: Visitor, store: Server) -> None:
    store.ingest(
        record(0, "timeout after 5 s", level="error", release=11),
        record(1, "timeout after 9 s", level="error", release=12),
        record(2, "no such column 7", level="error", release=12),
        record(3, "hello", release=12),
    )
    told = {"before": 11, "after": 12}
    body = page(visitor, "/logs/compare", **told)

    assert "no such column &lt;n&gt;" in body
    assert "timeout" not in body
    way = re.search(r'href="([^"]+)" title="Its records"', body)
    assert way
    assert texts(visitor.get(unescape(way[1]))[1]) == ["no such column 7"]
    assert "hello" in page(visitor, "/logs/compare", query="*", **told)
    assert "nothing that release 12" in page(visitor, "/logs/compare", before=12, after=11)
    unknown = page(visitor, "/logs/compare", before=12, after=99)
    assert "No record of release 99 was found" in unknown
    assert "nothing that release" not in unknown
    assert "before: found" in page(visitor, "/logs/compare", before="x", after=12)
    assert "Earlier release" in page(visitor, "/logs/compare", after=12)
    assert visitor.get(f"/logs/compare?{urlencode({**told, 'query': '('})}")[0].status == 400


def test_completion_knows_fields_values_and_pipes(visitor: Visitor, store: Server) -> None:
    fields = {"path": "/a b", "status": 503}
    store.ingest(*(record(n, fields=fields) for n in range(3)), record(4, app="odd"))

    def offered(text: str) -> tuple[int, list[str]]:
        answer = visitor.get(f"/logs/complete?{urlencode({'text': text, 'since': ''})}")[1]
        found = json.loads(answer)
        return found["from"], [option["text"] for option in found["options"]]

    assert offered("x -ap") == (3, ["app:"])
    assert offered("(app:") == (1, ["app:orders ", "app:odd "])
    assert offered("app:or") == (0, ["app:orders "])
    assert offered('path:"/') == (0, ['path:"/a b" '])
    assert offered("app:x | p") == (8, ["p99(", "patterns"])
    assert offered('"a phrase with app:') == (0, [])
    assert offered("status:>=") == (0, [])
    assert offered("message:x") == (0, [])


def test_a_table_has_a_thousand_rows_at_most(visitor: Visitor, store: Server) -> None:
    store.ingest(*(record(n, fields={"order": n}) for n in range(1005)))
    for query in ("| fields order", "| count() by order"):
        body = page(visitor, query=query)
        assert body.count("<tr>") == 1001
        assert "These are the first 1,000 rows; there are more." in body


def test_values_of_any_field_are_counted_on_demand(visitor: Visitor, store: Server) -> None:
    store.ingest(*(record(n, fields={"path": f"/{n % 2}", "a,b": 1}) for n in range(5)))
    body = page(visitor)
    assert 'name="count" value="path"' in body
    assert 'name="count" value="a,b"' not in body
    assert 'name="count" value="app"' not in body

    told = {"query": "line", "since": "", "count": "path"}
    there = visitor.get(f"/logs?{urlencode(told)}")[0].headers["Location"]
    assert there == f"/logs?{urlencode({'query': 'line', 'since': '', 'counted': 'path'})}"
    body = re.sub(r"\s+", " ", visitor.get(there)[1])
    assert '<span class="value" title="/0">/0</span> <span class="number">3</span>' in body
    assert '<input type="hidden" name="counted" value="path">' in body
    assert visitor.get(f"{there}&count=path")[0].headers["Location"] == "/logs?query=line&since="


def test_who_leaves_ends_the_search(
    visitor: Visitor, store: Server, environment: FakeEnvironment, address: str
) -> None:
    """The connection to the store is closed, which stops what it does."""
    store.ingest(record(0))
    line = json.dumps(store.search().lines[0])
    found = EndlessStore(line)
    environment.store = found  # type: ignore[assignment]
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
    connection.request("GET", "/logs", headers=dict(visitor.headers))
    answer = connection.getresponse()
    while b'class="record' not in answer.read1(1 << 16):
        pass
    answer.close()
    connection.close()
    assert found.closed.wait(20)


class EndlessStore:
    """Finds the same line again and again."""

    def __init__(self, line: str) -> None:
        self._line = line
        self.closed = threading.Event()

    def lines(self, _path: str, **_told: object) -> Iterator[str]:
        try:
            while True:
                yield self._line
                time.sleep(0.2)
        finally:
            self.closed.set()
