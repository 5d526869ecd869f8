"""Many who search at once: what is sent goes on being taken, and no search takes too much."""

import http.client
import json
import threading
import time
from pathlib import Path
from urllib.parse import urlencode

from asked import NOW, Server, serving
from dayfly.logs.query.tree import Query
from dayfly.logs.record import Record
from dayfly.logs.store import search
from dayfly.logs.store.store import Ask, Store
from kept import QUIET, body_of, numbered

CROWD = 200
SEARCHES = (
    ("/search", {"query": "line", "limit": "20000"}),
    ("/search", {"query": "/of m.ny/ | count() by app"}),
    ("/search", {"query": "| patterns"}),
    ("/facets", {}),
    ("/histogram", {"query": "many"}),
)


def test_two_hundred_searches_at_once_do_not_stall_what_is_sent(server: Server) -> None:
    begin = int(NOW) * 10**9
    for number in range(10):
        server.store.append(numbered(range(number * 10_000, (number + 1) * 10_000), begin=begin))
    server.store.seal()
    crowd = [server.connection() for _ in range(CROWD)]
    for number, connection in enumerate(crowd):
        path, told = SEARCHES[number % len(SEARCHES)]
        connection.request("GET", f"{path}?{urlencode(told)}")
    answers: list[http.client.HTTPResponse] = []
    reader = threading.Thread(target=lambda: answers.extend(c.getresponse() for c in crowd[:20]))
    reader.start()

    took = []
    for number in range(20):
        begun = time.monotonic()
        sent = {"time": begin, "message": f"sent {number}"}
        assert server.ingest(sent).json == {"taken": 1}
        took.append(time.monotonic() - begun)

    reader.join()
    assert sorted(took)[10] < 3
    assert max(took) < 15
    assert {answer.status for answer in answers} == {200}
    for connection in crowd:
        connection.close()


def test_who_waited_too_long_for_a_turn_is_told_so(tmp_path: Path) -> None:
    """The time counts from the request on, not from when it is its turn."""
    with Store(tmp_path, settings=QUIET) as store:
        store.append(numbered(range(5)))
        late = Ask(seconds=1, began=time.monotonic() - 2)
        found = store.search(Query(), ask=late)

        assert (list(found), found.cut) == ([], "cut after 1 s")


def test_large_records_are_held_in_small_numbers(tmp_path: Path) -> None:
    text = "x" * (1 << 20)
    many = search.MOST_BYTES // len(text) + 20
    with serving(tmp_path) as server:
        for number in range(0, many, 10):
            lines = [Record(time=n, message=f"{text} {n}") for n in range(number, number + 10)]
            server.store.append(body_of(lines))
        server.store.seal()
        found = server.search("", limit=1000).lines

        assert "more are too much to put in order" in found[-1]["notice"]["cut"]
        assert many - 40 < len(found) - 1 < many
        newest = [int(json.dumps(line["message"]).rstrip('"').split()[1]) for line in found[:-1]]
        assert newest == sorted(newest, reverse=True)
        assert newest[0] >= many - 1


def test_long_records_make_small_segments(tmp_path: Path) -> None:
    """So that what is read at once stays small."""
    text = "x" * (1 << 16)
    lines = [Record(time=n, message=f"{text} {n}") for n in range(600)]
    with Store(tmp_path, settings=QUIET) as store:
        for begin in range(0, len(lines), 100):
            store.append(body_of(lines[begin : begin + 100]))
        store.seal()
        [segment] = store._shelf.manifest.segments  # noqa: SLF001 - what nobody else sees
        groups = store._shelf.open(segment).index.table.groups  # noqa: SLF001

        assert max(group.rows for group in groups) <= 256
        assert len(list(store.search(Query(), limit=1000))) == 600
