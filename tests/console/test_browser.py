"""The pages in a real browser."""

import pytest

from dayfly.console import Sessions
from driven import Browser, enter, visit
from fake_server import FakeEnvironment
from fake_server.impacts import DOWNTIME, EVIL, HUGE, ONLINE, RECORDED, STAGED, assessed
from fake_server.scenes import under_way


def test_a_one_time_link_leads_to_a_page_that_lives(
    browser: Browser, address: str, environment: FakeEnvironment, sessions: Sessions
) -> None:
    """What happens shows without a reload, nothing that others wrote runs, no policy is broken."""
    browser.ask("Page.navigate", url=f"{address}/enter?code={sessions.code()}")
    browser.wait_for("document.title == 'production · Dayfly'")
    browser.wait_for("document.getElementById('pulse').textContent == 'live'")
    assert "document.title='owned'" in browser.value("document.body.innerText")

    under_way(environment)
    browser.wait_for("document.body.innerText.includes('Release 13 of orders is under way')")

    browser.ask("Page.navigate", url=f"{address}/releases/13")
    browser.wait_for("document.querySelectorAll('.stages tbody tr').length == 7")
    browser.wait_for("document.getElementById('pulse').textContent == 'live'")
    environment.happen("output", 13, source="watch", line="<img src=x onerror=document.title=1>")
    browser.wait_for("document.getElementById('lines').textContent.includes('<img src=x')")
    environment.receipts[13]["outcome"] = "serving"
    environment.happen("release.finished", 13, outcome="serving")
    browser.wait_for("document.querySelector('h1').innerText.includes('serving')")
    assert browser.value("document.title") == "Release 13 · serving · Dayfly"
    assert browser.value("document.images.length") == 0
    assert browser.complaints == []


def test_the_page_fits_a_phone(browser: Browser, address: str, sessions: Sessions) -> None:
    browser.ask(
        "Emulation.setDeviceMetricsOverride",
        width=360,
        height=700,
        deviceScaleFactor=1,
        mobile=True,
    )
    browser.ask("Page.navigate", url=f"{address}/enter?code={sessions.code()}")
    browser.wait_for("document.title == 'production · Dayfly'")
    for path in ("/", "/releases/12"):
        browser.ask("Page.navigate", url=f"{address}{path}")
        browser.wait_for(f"location.pathname == '{path}' && document.readyState == 'complete'")
        assert browser.value("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("host", ["127.0.0.1", "console.example"])
def test_the_safe_sql_is_copied_with_a_click(
    browser: Browser, address: str, environment: FakeEnvironment, sessions: Sessions, host: str
) -> None:
    """Also where the console is reached over plain HTTP, and browsers give no clipboard away."""
    assessed(environment)
    named = address.replace("127.0.0.1", host)
    enter(browser, named, sessions)
    visit(browser, named, f"/releases/{STAGED}/database")
    browser.press(".finding button.copy")
    browser.wait_for("document.querySelector('.finding button.copy').textContent == 'Copied'")
    browser.wait_for("document.querySelector('.finding button.copy').textContent == 'Copy'")
    said = [words for words in browser.complaints if "Cross-Origin-Opener" not in words]
    assert said == []  # that header is for HTTPS only, and the browser says so each time

    enter(browser, address, sessions)
    assert browser.pasted() == RECORDED["staged"]["findings"][0]["remedy"]


def test_what_the_reader_opened_stays_open_while_the_page_lives(
    browser: Browser, address: str, environment: FakeEnvironment, sessions: Sessions
) -> None:
    assessed(environment)
    under_way(environment, 31)
    enter(browser, address, sessions)
    visit(browser, address, "/releases/31/database")
    browser.wait_for("document.getElementById('pulse').textContent == 'live'")
    environment.happen("assessed", 31, **RECORDED["downtime"])
    browser.wait_for("document.querySelectorAll('.finding').length == 8")
    browser.press(".finding:not([open]) summary")
    opened = "document.querySelectorAll('.finding[open]').length"
    before = browser.value(opened)
    environment.happen("stage.finished", 31, stage="watch", outcome="done", seconds=20.0)
    environment.happen("stage.started", 31, stage="drain")
    browser.wait_for("document.getElementById('heading').textContent.includes('drain')")
    assert browser.value(opened) == before
    assert browser.value("document.title") == "Database · release 31 · Dayfly"
    assert browser.complaints == []


@pytest.mark.parametrize("release", [ONLINE, DOWNTIME, HUGE, EVIL])
def test_the_locks_fit_a_phone(
    browser: Browser,
    address: str,
    environment: FakeEnvironment,
    sessions: Sessions,
    release: int,
) -> None:
    assessed(environment)
    browser.ask(
        "Emulation.setDeviceMetricsOverride",
        width=390,
        height=800,
        deviceScaleFactor=1,
        mobile=True,
    )
    enter(browser, address, sessions)
    visit(browser, address, f"/releases/{release}/database")
    assert browser.value("document.documentElement.scrollWidth") <= 390
    assert browser.value("document.querySelectorAll('.locks .bar').length") >= 2
    assert browser.value("document.title") == f"Database · release {release} · Dayfly"
    assert browser.complaints == []
