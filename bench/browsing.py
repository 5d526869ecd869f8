"""The console's page of the logs in a real browser: when a person sees the first records.

The store has five times as many lines as the logs part, in ten days, and is a process of its own.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import msgspec

from bench import growth, loglines
from bench.row import Row, Skipped, at_most, median
from dayfly.client import Client
from dayfly.clock import wait_until
from dayfly.command import end_group, started
from dayfly.console import Sessions, routes
from dayfly.logs.query.instants import iso
from dayfly.logs.store.segment import FINAL_LEVEL
from dayfly.logs.store.shelf import MANIFEST, Manifest
from driven import Browser, driven, enter
from fake_server import FakeEnvironment, serving
from fake_server.scenes import quiet
from ports import free_port

PART = "the console's page of the logs"
JUDGED_LINES = 10_000_000
DAYS = 10
BAR = 300.0  # ms
TOKEN = "secret"
NOON = growth.LAST + 12 * growth.HOUR
HOUR = {"since": iso(NOON), "until": iso(NOON + growth.HOUR)}
DAY = {"since": iso(growth.LAST)}
EVER = {"since": ""}
VIEWS = (
    ("all of it", {"query": "", **EVER}),
    ("the last day", {"query": "", **DAY}),
    ("errors of an app, the last day", {"query": "level:error app:orders", **DAY}),
    ("a word, all of it", {"query": "timeout", **EVER}),
    ("status 500, all of it", {"query": "status:500", **EVER}),
    ("a word that is there once", {"query": loglines.NEEDLE, **EVER}),
    ("one hour", {"query": "", **HOUR}),
    ("errors by app in one hour", {"query": "level:error | count() by app, 5m", **HOUR}),
)
SEEN = """
    window.seen = {};
    const parts = { records: ".record, table td", bars: "#brush .slot", facets: "#facets button" };
    new MutationObserver(() => {
        for (const [name, what] of Object.entries(parts)) {
            if (!(name in window.seen) && document.querySelector(what)) {
                window.seen[name] = performance.now();
            }
        }
    }).observe(document, { childList: true, subtree: true });
"""


def measure(rounds: int, lines: int) -> Iterator[Row | Skipped]:
    if not (shutil.which("chromium") or shutil.which("chromium-browser")):
        yield Skipped(PART, "Chromium is not here")
        return
    with TemporaryDirectory() as folder:
        home = Path(folder) / "store"
        stored = _fill(home, lines // 2)
        with _logs(home) as store, _page(Path(folder), store) as (browser, address):
            for what, told in VIEWS:
                yield _row(browser, address, what, told, (rounds, stored))


def _fill(home: Path, a_day: int) -> int:
    day = growth.day_of_lines(a_day)
    records = home / "records"
    segments = [
        each for back in range(DAYS) for each in growth.written(records, day, back, FINAL_LEVEL)
    ]
    (records / MANIFEST).write_bytes(msgspec.json.encode(Manifest(segments=segments)))
    (home / "token").write_text(TOKEN)
    return DAYS * day.height


@contextmanager
def _logs(home: Path) -> Iterator[Client]:
    address = f"127.0.0.1:{free_port()}"
    with started([sys.executable, "-m", "dayfly.logs", str(home), address]) as process:
        try:
            client = Client(f"http://{address}", TOKEN)
            wait_until(lambda: _answers(client), seconds=60, what="the store answers")
            yield client
        finally:
            end_group(process)


def _answers(client: Client) -> bool:
    try:
        list(client.lines("/search", query="", limit=1))
    except Exception:  # noqa: BLE001 - whatever it is, it has not started yet
        return False
    return True


@contextmanager
def _page(folder: Path, store: Client) -> Iterator[tuple[Browser, str]]:
    environment: FakeEnvironment = quiet()
    environment.store, environment.saved = store, folder / "searches.json"
    sessions = Sessions(b"k" * 32)
    with (
        serving(routes(environment, sessions, {"127.0.0.1"})) as address,
        driven(folder) as browser,
    ):
        enter(browser, address, sessions)
        browser.ask("Page.addScriptToEvaluateOnNewDocument", source=SEEN)
        yield browser, address


def _row(
    browser: Browser, address: str, what: str, told: dict[str, str], of: tuple[int, int]
) -> Row:
    rounds, stored = of
    seen = [_seen(browser, f"{address}/logs?{urlencode(told)}") for _ in range(rounds + 1)]
    first, *warm = [each["records"] for each in seen]
    beside = {name: median([each.get(name, 0) for each in seen]) for name in ("bars", "facets")}
    row = at_most(
        PART,
        f"first results: {what}",
        median(warm),
        "ms",
        BAR,
        note=f"the first time {first:.0f} ms, bars {beside['bars']:.0f} ms, "
        f"facets {beside['facets']:.0f} ms; {stored:,} records stored",
    )
    return row if stored >= JUDGED_LINES else replace(row, bar="", good=None)


def _seen(browser: Browser, address: str) -> dict[str, float]:
    """When what was there, in ms after the browser left the page before."""
    browser.value("window.stale = true")
    browser.ask("Page.navigate", url=address)
    browser.wait_for("!window.stale && document.readyState == 'complete'")
    found = browser.value("JSON.stringify(window.seen)")
    return dict(msgspec.json.decode(found, type=dict[str, float]))
