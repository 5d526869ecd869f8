import http.client
import threading

import pytest

from dayfly.console import Sessions
from fake_server import FakeEnvironment
from fake_server.scenes import HOSTILE, under_way
from fake_server.visitor import Visitor


@pytest.mark.parametrize("path", ["/", "/releases/12", "/live", "/releases/99"])
def test_without_a_session_every_door_is_closed(stranger: Visitor, path: str) -> None:
    answer, body = stranger.get(path)

    assert answer.status == 401
    assert "dayfly console" in body
    assert "orders" not in body


def test_a_link_opens_the_console_once(stranger: Visitor, sessions: Sessions) -> None:
    code = sessions.code()
    answer, body = stranger.get(f"/enter?code={code}")

    cookie = answer.headers["Set-Cookie"]
    assert answer.status == 200
    assert 'content="0;url=/"' in body
    assert all(
        word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200")
    )
    assert stranger.get("/", Cookie=cookie.partition(";")[0])[0].status == 200
    assert stranger.get(f"/enter?code={code}")[0].status == 401


@pytest.mark.parametrize("path", ["/", "/enter?code=x", "/static/live.js", "/releases/12"])
def test_every_answer_holds_the_browser_back(visitor: Visitor, path: str) -> None:
    headers = visitor.get(path)[0].headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8081", 200),
        ("console.example", 200),
        ("CONSOLE.EXAMPLE:80", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("[::1]:8081", 421),
        ("", 421),
    ],
)
def test_only_its_own_names_are_answered(visitor: Visitor, host: str, status: int) -> None:
    """A foreign name that resolves to this machine (DNS rebinding) gets nothing."""
    assert visitor.get("/", Host=host)[0].status == status


def test_the_overview_tells_what_serves(visitor: Visitor) -> None:
    body = visitor.get("/")[1]

    for word in ("orders-12-web-1", "not healthy", "min left", "Way back open"):
        assert word in body
    assert "is being replaced" in body
    assert "under way" not in body


def test_the_overview_tells_how_the_tunnel_is(
    visitor: Visitor, environment: FakeEnvironment
) -> None:
    one = {"name": "far-1", "rekeyed": 185, "bytes_in": 3500, "bytes_out": 20}
    down = {"name": "far-2", "rekeyed": None, "bytes_in": 0, "bytes_out": 0}
    tunnel = {"state": "up", "to": "far", "problems": [], "round_trip": 0.42}
    services = environment.status_["services"]
    services["tunnel"] = {**tunnel, "connections": [one, down]}
    body = " ".join(visitor.get("/")[1].split())
    told = "in 3.4 KB, out 20 B, keys of 3 min 05 s ago"
    assert f"Tunnel to far, far-1: round trip 0.4 ms, {told}" in body
    assert "far-2" not in body

    services["tunnel"] |= {"connections": [one], "round_trip": None}
    assert f"Tunnel to far: {told}" in " ".join(visitor.get("/")[1].split())
    services["tunnel"] = {"state": "down", "to": "far", "problems": ["nobody answers"]}
    assert "The tunnel to far is down: nobody answers." in visitor.get("/")[1]
    services["tunnel"] |= {"state": "unknown", "problems": ["only root can"]}
    assert "The tunnel to far can&#39;t be seen: only root can." in visitor.get("/")[1]


def test_the_overview_says_what_waits_and_that_the_way_back_leads_through_the_database(
    visitor: Visitor, environment: FakeEnvironment
) -> None:
    waits = {"release": 15, "commit": "c0ffee", "reason": "until Sun 02:00: its window"}
    taken = {"release": 12, "loses": ["orders.<note>"], "why": ""}
    environment.status_["apps"][0] |= {"waiting": [waits], "back_to": 11, "crosses": [taken]}
    body = visitor.get("/")[1]
    for words in (
        "until Sun 02:00: its window",
        (
            "Way back through the database: <code>dayfly rollback</code> closes the app, "
            "brings back orders.&lt;note&gt; (release 12), then serves release 11."
        ),
    ):
        assert words in body


def test_a_release_under_way_is_announced(visitor: Visitor, environment: FakeEnvironment) -> None:
    under_way(environment)

    assert "<strong>Release 13</strong> of orders is under way" in visitor.get("/")[1]
    page = visitor.get("/releases/13")[1]
    assert "running" in page
    assert "Traffic moving" in page
    assert 'class="line incoming"' in page


def test_what_others_wrote_stays_text(visitor: Visitor) -> None:
    for path in ("/", "/releases/10", "/releases/12"):
        body = visitor.get(path)[1]
        assert HOSTILE not in body
        assert "<script>document" not in body
        assert "<b>done" not in body
        assert not {"\x1b", "\u202e"} & set(body)
        assert " style=" not in body


def test_no_inline_script(visitor: Visitor) -> None:
    for path in ("/", "/releases/12"):
        body = visitor.get(path)[1]
        assert body.count("<script") == body.count('<script src="/static/live.js"') == 1


def test_a_receipt_shows_lost_first(visitor: Visitor) -> None:
    body = visitor.get("/releases/12")[1]

    assert body.index("<dt>lost</dt><dd>0</dd>") < body.index("<dt>requests</dt><dd>48,213</dd>")
    assert "34 ms" in body


def test_what_a_release_has_put_into_the_archive_has_its_pages(
    visitor: Visitor, environment: FakeEnvironment
) -> None:
    wheel = {"key": "builds/a b.whl", "version": "v7", "size": 3_400_000}
    told = {"of": "build", "bucket": "orders", "count": 102, "versions": [wheel]}
    environment.receipts[12]["outputs"] = [told, {**told, "of": "test", "versions": []}]

    body = visitor.get("/releases/12")[1]

    place = "bucket=orders&amp;key=builds%2Fa%20b.whl&amp;version=v7"
    assert f'<a href="/files/object?{place}"><code>builds/a b.whl</code></a> 3.2 MB' in body
    assert "and 101 more" in body
    assert "Of the test" not in body


def test_a_release_that_is_not_there(visitor: Visitor) -> None:
    answer, body = visitor.get("/releases/99")

    assert answer.status == 404
    assert "There is no release 99." in body


def test_an_open_page_hears_of_its_release_only(
    visitor: Visitor, environment: FakeEnvironment
) -> None:
    connection = http.client.HTTPConnection(visitor.address.removeprefix("http://"), timeout=10)
    last = environment.newest()
    connection.request("GET", f"/live?release=13&after={last}", headers=dict(visitor.headers))
    answer = connection.getresponse()
    timers = [
        threading.Timer(0.2, environment.happen, ("note", 12), {"message": "another's"}),
        threading.Timer(0.5, environment.happen, ("note", 13), {"message": "ours"}),
    ]
    for timer in timers:
        timer.start()
    heard = b""
    while b"data:" not in heard:
        heard += answer.readline()
    connection.close()

    assert f"data: {last + 2}".encode() in heard
