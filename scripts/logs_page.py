"""The page of the logs with a usual morning, a release, and the errors that came with it."""

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from asked import serving as storing
from dayfly.client import Client
from dayfly.console import Sessions, routes
from driven import Browser, driven, enter
from fake_server import serving
from fake_server.scenes import quiet

LINES, HOURS = 9000, 6
SECOND = 10**9
TOLD = {"query": "app:orders", "since": f"{HOURS}h"}
USUAL = (
    "order {n} of user {u} placed, 3 items",
    "GET /orders/{n} 200 in {ms} ms",
    "GET /stock/{n} 200 in {ms} ms",
    "payment of order {n} accepted",
    "mail to user {u} queued",
)


def logs_page(folder: Path) -> Iterator[Browser]:
    """A search with its histogram and facets, and an error opened."""
    with storing(folder / "store", now=time.time) as store:
        answer = store.ingest(*made())
        assert answer.status == 200, answer
        environment = quiet()
        environment.store = Client(store.address, "")
        environment.saved = folder / "searches.json"
        sessions = Sessions(b"k" * 32)
        with (
            serving(routes(environment, sessions, {"127.0.0.1"})) as address,
            driven(folder) as browser,
        ):
            enter(browser, address, sessions)
            browser.ask("Page.navigate", url=f"{address}/logs?{urlencode(TOLD)}")
            browser.wait_for("!!document.querySelector('#facets button')")
            browser.press(".record.bad summary")
            browser.value("window.scrollTo(0, 0)")
            browser.wait_for("!!document.querySelector('.record details[open]')")
            yield browser


def made() -> list[dict[str, Any]]:
    """A usual morning, a release, and the errors that came with it."""
    rng, now = random.Random(7), time.time_ns()
    span = HOURS * 3600 * SECOND
    records = [line(rng, now - rng.randrange(span), now, span) for _ in range(LINES)]
    return sorted(records, key=lambda each: each["time"])


def line(rng: random.Random, at: int, now: int, span: int) -> dict[str, Any]:
    late = (now - at) / span
    release = 42 if late < 0.3 else 41
    app = rng.choice(("orders", "orders", "orders", "billing", "search"))
    broken = release == 42 and late < 0.14 and rng.random() < 0.35
    level = rng.choice(("info",) * 30 + ("debug",) * 6 + ("warning",) * 2 + ("error",))
    number, fields = rng.randrange(10**5), {"path": f"/orders/{rng.randrange(900)}", "status": 200}
    message = rng.choice(USUAL).format(n=number, u=number // 7, ms=number % 90)
    if broken or level == "error":
        level, fields = "error", {**fields, "status": 503, "duration": 2.5}
        message = f"order {number}: connection to db2.internal:5432 timed out after 2.5 s"
    elif level == "warning":
        message = f"GET /orders/{number} took {800 + number % 900} ms"
    return {
        "time": at,
        "message": message,
        "level": level,
        "app": app,
        "release": release if app == "orders" else 7,
        "machine": f"{app}-{release if app == 'orders' else 7}-web-{1 + number % 2}",
        "host": "shop-1",
        "process": "web",
        "stream": "stdout",
        "fields": fields,
    }
