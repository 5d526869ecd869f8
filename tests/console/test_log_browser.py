"""The logs page in a real browser."""

from urllib.parse import urlencode

import pytest

from asked import Server
from dayfly.console import Sessions
from driven import Browser, enter
from fake_server.lines import ATTACKS, record

SHOWN = "[...document.querySelectorAll('.record .text')].map(it => it.textContent).join()"


@pytest.fixture
def entered(browser: Browser, address: str, sessions: Sessions, store: Server) -> Browser:
    store.ingest(
        *(record(n, level="error" if n < 10 else "info", app="web") for n in range(30)),
        *(record(n, fields={"path": "/a b"}) for n in range(30, 60)),
    )
    enter(browser, address, sessions)
    return browser


def go(browser: Browser, address: str, **told: object) -> None:
    browser.value("window.stale = true")
    browser.ask("Page.navigate", url=f"{address}/logs?{urlencode({'since': '', **told})}")
    loaded(browser)


def loaded(browser: Browser) -> None:
    """The next page is here, with its bars and facets."""
    browser.wait_for("!window.stale && document.readyState == 'complete'")
    browser.value("window.stale = true")


def test_bars_are_spanned_with_the_mouse_and_with_keys(entered: Browser, address: str) -> None:
    go(entered, address)
    assert entered.value("document.querySelectorAll('.record').length") == 60
    entered.drag("#brush .slot:nth-child(11)", "#brush .slot:nth-child(20)")
    loaded(entered)
    first = "document.querySelector('.record:last-child .text').textContent"
    assert entered.value("document.querySelectorAll('.record').length") == 10
    assert entered.value(first) == "line 10"
    assert "since=2026-11-01T23%3A00%3A10Z&until=2026-11-01T23%3A00%3A20Z" in entered.value(
        "location.search"
    )

    entered.value("document.querySelector('#brush .slot').focus()")
    entered.key("ArrowRight")
    entered.key("End", 8)
    said = entered.value("document.getElementById('brushed').textContent")
    assert said == "2026-11-01T23:00:10.2Z to 2026-11-01T23:00:20Z: 9"
    entered.key("Enter")
    loaded(entered)
    assert entered.value(SHOWN) == ",".join(f"line {n}" for n in range(19, 10, -1))
    assert entered.complaints == []


def test_values_are_clicked_to_narrow_the_query(entered: Browser, address: str) -> None:
    go(entered, address, query="line")
    entered.press("#facets button[value='app:web'][name=include]")
    loaded(entered)
    assert entered.value("document.getElementById('query').value") == "line app:web"
    assert entered.value("document.querySelectorAll('.record').length") == 30
    assert entered.value("document.querySelectorAll('mark').length") == 30

    go(entered, address)
    entered.press(".record summary")
    entered.wait_for("document.querySelector('.record details').open")
    entered.press(".record button[name=exclude][value^='path:']")
    loaded(entered)
    assert entered.value("document.getElementById('query').value") == 'NOT path:"/a b"'
    assert entered.value("document.querySelectorAll('.record').length") == 30
    assert entered.complaints == []


def test_nothing_that_a_line_says_runs(entered: Browser, address: str, store: Server) -> None:
    for n, attack in enumerate(ATTACKS):
        every = dict.fromkeys(("app", "machine", "host", "stream", "level"), attack)
        store.ingest(record(100 + n, attack, fields={"f": attack, f"{attack}{n}": 1}, **every))
    for query in ("", "| count() by app, f", "| patterns", "owned OR img"):
        go(entered, address, query=query)
        body = entered.value("document.body.innerText")
        assert "<script>document.title='owned'</script>" in body
        assert entered.value("document.title") == "Logs · Dayfly"
        hostile = "main :is(img, iframe, h1:not(.unseen), b, [onload], [onerror], [onmouseover])"
        assert entered.value(f"document.querySelectorAll('{hostile}').length") == 0
        assert entered.value("document.querySelectorAll('a[href^=\"http\"]').length") == 0
    assert entered.complaints == []


def test_the_logs_fit_a_phone(entered: Browser, address: str, store: Server) -> None:
    store.ingest(record(200, "x" * 5000, fields={"y" * 300: "z" * 400}))
    told = {"width": 360, "height": 700, "deviceScaleFactor": 1, "mobile": True}
    entered.ask("Emulation.setDeviceMetricsOverride", **told)
    go(entered, address)
    entered.press(".record summary")
    entered.wait_for("document.querySelector('.record details').open")
    assert entered.value("document.documentElement.scrollWidth") <= 360


def test_live_takes_in_what_comes(entered: Browser, address: str, store: Server) -> None:
    """What is open stays open, what came late finds its place, nothing is there twice."""
    go(entered, address, query="app:orders")
    entered.press(".record:nth-child(2) summary")
    entered.press("#tail")
    entered.wait_for("document.getElementById('pulse').textContent == 'live'")
    late = {**record(58, "late"), "time": record(58)["time"] + 1}
    store.ingest(record(300, "<b>newest</b>"), late, record(301, "of another", app="web"))
    entered.wait_for(f"{SHOWN}.startsWith('<b>newest</b>,line 59,late,line 58')")
    store.ingest(*(record(400 + n, "same") for n in range(2)))
    entered.wait_for(f"{SHOWN}.startsWith('same,same,<b>newest</b>,line 59,late')")
    opened = "document.querySelector('.record details[open] .text').textContent"
    assert entered.value(opened) == "line 58"
    assert entered.value("document.querySelectorAll('.record').length") == 34
    assert "live=1" in entered.value("location.search")

    store.ingest(*(record(500 + n) for n in range(300)))
    entered.wait_for("document.querySelectorAll('.record').length == 201")  # with the open one
    entered.press("#tail")
    entered.wait_for("document.getElementById('pulse').hidden")
    assert "live=1" not in entered.value("location.search")
    assert entered.complaints == []


def test_the_query_is_completed(entered: Browser, address: str) -> None:
    go(entered, address, query='"😀"')
    entered.value(
        "const box = document.getElementById('query'); box.focus(); "
        "box.setSelectionRange(box.value.length, box.value.length)"
    )
    entered.type(" OR ap")
    entered.wait_for("document.querySelectorAll('#completions li').length == 1")
    entered.key("ArrowDown")
    entered.key("Enter")
    entered.wait_for("document.querySelectorAll('#completions li').length == 2")
    assert entered.value("document.getElementById('query').value") == '"😀" OR app:'
    entered.key("ArrowDown")
    assert entered.value(
        "document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))"
        ".textContent"
    ) in ("orders 30", "web 30")
    entered.key("Escape")
    entered.type("we")
    entered.wait_for("document.querySelector('#completions li').textContent == 'web 30'")
    entered.press("#completions li")
    assert entered.value("document.getElementById('query').value") == '"😀" OR app:web '
    entered.key("Enter")
    loaded(entered)
    assert entered.value("document.querySelectorAll('.record').length") == 30
    assert entered.complaints == []


def test_the_cursor_stands_where_the_query_is_wrong(entered: Browser, address: str) -> None:
    go(entered, address, query="app:x level:>=loud")
    assert entered.value("document.activeElement.id") == "query"
    assert entered.value("document.activeElement.selectionStart") == 14
