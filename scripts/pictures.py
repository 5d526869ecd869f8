"""The pictures of the docs: pages of the console as a visitor has them before himself."""

import base64
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from logs_page import logs_page

from archive import archive
from dayfly.console import Sessions, routes
from dayfly.files.objects import Description, Provenance, Versioning
from dayfly.files.operated import Operated
from dayfly.files.repository import Repository
from driven import Browser, driven
from fake_server import serving
from fake_server.scenes import quiet

DOCS = Path(__file__).resolve().parent.parent / "docs"
LARGEST = 200_000  # bytes
WIDE, HIGH = 1200, 860


def files_page(folder: Path) -> Iterator[Browser]:
    """A bucket of an application: its quota, a lease, folders and files, one just uploaded."""
    with archive(folder) as server:
        operated = Operated(
            root=server.folder,
            index=server.folder / ".dayfly/index",
            accounts=folder / "accounts.json",
            endpoint=lambda host: f"http://{host}:{server.port}",
        )
        with operated.opened() as repository:
            _fill(repository)
        environment, sessions = quiet(), Sessions(b"k" * 32)
        environment.operated = operated
        report = folder / "2026-11-27.csv"
        report.write_text("order;customer;sum\n1;Jörg;7,50\n" * 5000)
        with (
            serving(routes(environment, sessions, {"127.0.0.1"})) as address,
            driven(folder) as browser,
        ):
            browser.ask("Page.navigate", url=f"{address}/enter?code={sessions.code('ada@desk')}")
            browser.wait_for("document.title == 'production · Dayfly'")
            browser.ask("Page.navigate", url=f"{address}/files?bucket=orders&prefix=exports/")
            browser.wait_for("document.title == 'exports · Files · Dayfly'")
            _upload(browser, report)
            yield browser


def _fill(repository: Repository) -> None:
    repository.create_bucket("orders", owner="orders")
    repository.set_versioning("orders", Versioning.ENABLED)
    repository.set_limits("orders", quota=4 << 20, trash_seconds=30 * 86_400)
    today = datetime(2026, 11, 26, tzinfo=UTC)
    days = (today - timedelta(days=n) for n in range(8))
    names = [f"exports/{day:%Y-%m-%d}.csv" for day in days]
    names += ["exports/2025/12.csv", "exports/refunds/a.csv", "exports/ledger.csv", "bills/7.pdf"]
    for n, name in enumerate(names):
        with repository.stage("orders") as staged:
            staged.write(b"order;customer;sum\n" * (4000 + 900 * n))
            by = Provenance(who="orders", release="41", machine="orders-41-nightly-export-1")
            repository.put(staged, name, Description(owner="orders", provenance=by))
    repository.leases.take(
        "orders", "exports/ledger.csv", owner="recount@orders-41-worker-1", seconds=600
    )


def _upload(browser: Browser, path: Path) -> None:
    found = browser.ask("Runtime.evaluate", expression="document.getElementById('chosen')")
    chosen = found["result"]["objectId"]
    browser.ask("DOM.setFileInputFiles", files=[str(path)], objectId=chosen)
    browser.wait_for("!!document.querySelector('#uploads .good')")
    browser.wait_for("document.querySelectorAll('#keys tr').length > 11")


def _taken(browser: Browser) -> bytes:
    size = {"width": WIDE, "height": HIGH, "deviceScaleFactor": 1, "mobile": False}
    browser.ask("Emulation.setDeviceMetricsOverride", **size)
    time.sleep(0.5)  # until it is drawn in this size
    return base64.b64decode(browser.ask("Page.captureScreenshot", format="png")["data"])


PICTURES: dict[str, Callable[[Path], Iterator[Browser]]] = {
    "files-page.png": files_page,
    "logs.png": logs_page,
}


def main(names: list[str]) -> None:
    for name in names or PICTURES:
        drawn = contextmanager(PICTURES[name])
        with tempfile.TemporaryDirectory() as folder, drawn(Path(folder)) as browser:
            picture = _taken(browser)
        if len(picture) > LARGEST:
            sys.exit(f"{name}: {len(picture)} bytes, {LARGEST} are allowed")
        (DOCS / name).write_bytes(picture)
        print(f"docs/{name}: {len(picture)} bytes")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
