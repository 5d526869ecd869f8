"""The files page in a real browser, before an archive that really serves."""

import json
import random
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from botocore.exceptions import ClientError

from archive import S3, Archive, Who, archive
from dayfly.console import Sessions, routes
from dayfly.files import credentials
from dayfly.files.objects import Asked, Description, Version
from dayfly.files.operated import Operated
from driven import Browser, driven
from fake_server import serving
from fake_server.lines import ATTACKS
from fake_server.scenes import quiet

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj "
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>endobj\ntrailer<</Root 1 0 R>>\n"
)
SVG = (
    b"<svg xmlns='http://www.w3.org/2000/svg' width='30' height='20' onload='top.document.title=1'>"
    b"<script>top.document.title='owned'</script><rect width='30' height='20'/></svg>"
)
HTML = b"<script>top.document.title='owned'; document.title='owned'</script><h1>owned</h1>"
LARGE = (8 << 20) + 1_000_000  # bytes: two parts


@dataclass(frozen=True)
class Seen:
    """A browser that has entered, and the archive that it looks at."""

    browser: Browser
    address: str
    archive: Archive
    operated: Operated
    folder: Path

    @property
    def s3(self) -> S3:
        return self.archive.client()

    def go(self, path: str = "/files", **told: str) -> None:
        self.leave()
        self.browser.ask("Page.navigate", url=f"{self.address}{path}?{urlencode(told)}")
        self.loaded()

    def leave(self) -> None:
        self.browser.value("window.stale = true")

    def press(self, selector: str) -> None:
        """What leads to another page."""
        self.leave()
        self.browser.press(selector)
        self.loaded()

    def loaded(self) -> None:
        self.browser.wait_for("!window.stale && document.readyState == 'complete'")

    def text(self, selector: str = "main") -> str:
        found = f"document.querySelector({json.dumps(selector)})"
        return str(self.browser.value(f"{found} ? {found}.innerText.trim() : ''"))

    def choose(self, *files: Path) -> None:
        """In the dialogue for files."""
        found = self.browser.ask(
            "Runtime.evaluate", expression="document.getElementById('chosen')"
        )["result"]["objectId"]
        self.browser.ask(
            "DOM.setFileInputFiles", files=[str(each) for each in files], objectId=found
        )

    def drop(self, *files: Path) -> None:
        """Anywhere on the page."""
        data = {"items": [], "files": [str(each) for each in files], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.browser.ask("Input.dispatchDragEvent", type=kind, x=300, y=300, data=data)

    def uploads(self, *says: str) -> None:
        """Of the files that were sent, in their order."""
        rows = (
            "[...document.querySelectorAll('#uploads .says')].map(it => it.textContent).join('|')"
        )
        self.browser.wait_for(f"{rows} == {json.dumps('|'.join(says))}")

    def answer(self, asked: str, word: str) -> None:
        """Wait for a question of an upload, and press one of its buttons."""
        self.browser.wait_for(
            f"document.querySelector('#uploads').innerText.includes({json.dumps(asked)})"
        )
        self.browser.value(
            "[...document.querySelectorAll('#uploads button')]"
            f".find(it => it.textContent == {json.dumps(word)}).click()"
        )

    def network(self, *, up: float = -1, offline: bool = False) -> None:
        """Bytes that go up in a second; -1 is as many as can."""
        told = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": up}
        self.browser.ask("Network.emulateNetworkConditions", offline=offline, **told)

    def left(self) -> int:
        """How many uploads were begun and not ended, as soon as there are none."""
        for _ in range(100):
            with self.operated.opened() as repository:
                found = len(repository.list_uploads("orders", Asked()).uploads)
            if not found:
                break
            time.sleep(0.05)
        return found

    def head(self, key: str) -> Version:
        with self.operated.opened() as repository:
            return repository.head("orders", key)

    def file(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder = tmp_path_factory.mktemp("seen")
    with archive(folder) as server:
        operated = Operated(
            root=server.folder,
            index=server.folder / ".dayfly/index",
            accounts=folder / "accounts.json",
            endpoint=lambda host: f"http://{host}:{server.port}",
        )
        s3 = server.client()
        s3.create_bucket(Bucket="orders")
        s3.put_bucket_versioning(Bucket="orders", VersioningConfiguration={"Status": "Enabled"})
        environment, sessions = quiet(), Sessions(b"k" * 32)
        environment.operated = operated
        (folder / "browser").mkdir()
        with (
            serving(routes(environment, sessions, {"127.0.0.1"})) as address,
            driven(folder / "browser") as browser,
        ):
            browser.ask("Page.navigate", url=f"{address}/enter?code={sessions.code('ada@desk')}")
            browser.wait_for("document.title == 'production · Dayfly'")
            yield Seen(browser, address, server, operated, folder)


@pytest.fixture(autouse=True)
def no_complaints(seen: Seen) -> Iterator[None]:
    seen.browser.complaints.clear()
    yield
    assert seen.browser.complaints == []


def put(seen: Seen, key: str, data: bytes) -> str:
    return str(seen.s3.put_object(Bucket="orders", Key=key, Body=data)["VersionId"])


def test_files_are_looked_at(seen: Seen) -> None:
    """From the overview down to a table, a text, an image and a PDF."""
    put(seen, "looked/2026/sums.csv", "name;sum\nJörg <b>;7,50\n".encode())
    put(seen, "looked/notes.txt", b"hello <b>there</b>")
    put(seen, "looked/logo.svg", SVG)
    put(seen, "looked/bill.pdf", PDF)
    with seen.operated.opened() as repository:
        repository.set_limits("orders", quota=1 << 30)
        lease = repository.leases.take(
            "orders", "looked/notes.txt", owner="recount@orders-12", seconds=60
        )
    seen.go("/")
    seen.press("a[href='/files']")
    assert "of 1.0 GB" in seen.text(".buckets")
    seen.press("a[href='/files?bucket=orders']")
    assert "recount@orders-12 has the lease until" in seen.text(".leases")
    seen.press("a[href$='prefix=looked%2F']")
    assert seen.text("#keys .folder").strip() == "2026/"
    seen.press("#keys .folder a")
    seen.press("#keys a")
    assert seen.text(".preview thead") == "name\tsum"
    assert seen.text(".preview tbody") == "Jörg <b>\t7,50"
    assert "main-id" in seen.text("#versions")

    seen.go("/files/object", bucket="orders", key="looked/notes.txt")
    assert seen.text(".preview pre") == "hello <b>there</b>"
    seen.go("/files/object", bucket="orders", key="looked/logo.svg")
    seen.browser.wait_for("document.querySelector('.preview img').naturalWidth == 30")
    seen.go("/files/object", bucket="orders", key="looked/bill.pdf")
    frames = seen.browser.ask("Page.getFrameTree")["frameTree"]["childFrames"]
    assert [frame["frame"]["mimeType"] for frame in frames] == ["application/pdf"]
    assert seen.browser.value("document.title") == "bill.pdf · Files · Dayfly"

    seen.go("/files", bucket="orders")
    seen.browser.press(".search summary")
    seen.browser.value("document.querySelector('.search [name=name]').focus()")
    seen.browser.type("SUMS")
    seen.press(".search button")
    assert seen.text("#keys, .keys tbody").startswith("looked/2026/sums.csv")
    with seen.operated.opened() as repository:
        repository.leases.release(lease)


def test_files_are_uploaded_and_dropped(seen: Seen) -> None:
    """Several at once, a large one in parts; who sent them is kept with them."""
    large = random.Random(7).randbytes(LARGE)
    one, other = seen.file("one ü.txt", b"one"), seen.file("large.bin", large)
    seen.go("/files", bucket="orders", prefix="sent/")
    seen.choose(one, other)
    seen.uploads("stored", "stored")
    seen.browser.wait_for("document.querySelectorAll('#keys tbody tr').length == 2")
    assert seen.text("#keys a") == "large.bin"
    whole = seen.s3.get_object(Bucket="orders", Key="sent/large.bin")
    assert whole["Body"].read() == large
    assert whole["ETag"].endswith('-2"')
    described = seen.head("sent/one ü.txt").description
    assert (described.provenance.who, described.owner) == ("ada@desk", "main-id")

    (seen.folder / "folder").mkdir()
    seen.browser.value("document.getElementById('into').value = 'below'")
    seen.drop(seen.file("two.txt", b"two"), seen.folder / "folder")
    seen.browser.wait_for("!!document.querySelector('#keys .folder')")
    assert "`dayfly files import` takes it" in seen.text("#uploads")
    assert seen.head("sent/below/two.txt").size == 3


def test_an_upload_is_stopped_and_goes_on_after_an_interruption(seen: Seen) -> None:
    """What was stopped leaves nothing behind."""
    large = seen.file("slow.bin", random.Random(8).randbytes(LARGE))
    seen.go("/files", bucket="orders", prefix="slow/")
    seen.browser.ask("Network.enable")
    seen.network(up=2_000_000)
    seen.choose(large)
    seen.browser.wait_for("(document.querySelector('#uploads progress') || {}).value > 0.01")
    seen.answer("%", "Stop")
    seen.network()
    seen.uploads("stopped")
    assert seen.left() == 0

    seen.network(offline=True)
    seen.choose(large)
    seen.uploads("stopped", "interrupted, goes on soon")
    seen.network()
    seen.uploads("stopped", "stored")
    assert seen.head("slow/slow.bin").size == LARGE
    seen.browser.ask("Network.disable")
    seen.browser.complaints.clear()  # the browser tells of what got no answer


def test_a_newer_version_of_somebody_else_is_not_written_over(seen: Seen) -> None:
    key = "shared/list.txt"
    put(seen, key, b"theirs")
    mine = seen.file("list.txt", b"mine, longer")
    seen.go("/files", bucket="orders", prefix="shared/")
    seen.choose(mine)
    seen.browser.wait_for("!!document.querySelector('#uploads button')")
    newer = put(seen, key, b"theirs, and newer")
    seen.answer("There already: 6 B", "Replace")
    seen.answer("There already: 17 B", "Keep")
    seen.uploads("left as it was")
    assert seen.head(key).id == newer

    seen.choose(mine)
    seen.answer("There already: 17 B", "Replace")
    seen.uploads("left as it was", "stored")
    assert seen.head(key).size == 12
    seen.browser.complaints.clear()  # the browser tells of the 412


def test_an_earlier_version_is_restored_and_a_deletion_undone(seen: Seen) -> None:
    first = put(seen, "told/story.txt", b"first")
    put(seen, "told/story.txt", b"second")
    seen.go("/files/object", bucket="orders", key="told/story.txt")
    seen.press("#versions tr:nth-child(2) td:last-child a")
    assert "ada@desk did this" in seen.text()
    seen.press("#sure")
    assert seen.text(".preview pre") == "first"
    assert f"from version {first}" in seen.text("#versions tbody tr")
    assert seen.head("told/story.txt").description.provenance.who == "ada@desk"

    seen.press("#delete")
    seen.press("#sure")
    assert "story.txt is deleted." in seen.text(".done")
    assert "Nothing is here." in seen.text()
    seen.press("#undo")
    seen.press("#sure")
    assert seen.text(".preview pre") == "first"
    assert "ada@desk, deleted in the console" in seen.text("#versions")


def test_a_link_gives_one_file_and_no_more(seen: Seen) -> None:
    put(seen, "given/a b.html", HTML)
    put(seen, "given/other.txt", b"other")
    seen.go("/files/object", bucket="orders", key="given/a b.html")
    seen.browser.value("document.querySelector('[name=duration]').value = '1h'")
    seen.press("#share button")
    link = seen.text("#link pre")
    with urllib.request.urlopen(link, timeout=10) as answer:
        assert answer.read() == HTML
        assert answer.headers["Content-Disposition"].startswith("attachment")
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["3600"]
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(link.replace("a%20b.html", "other.txt"), timeout=10)

    seen.browser.press("#link button")
    seen.browser.wait_for("document.querySelector('#link button').textContent == 'Copied'")
    assert seen.browser.pasted() == link
    key = key_of_links(seen)
    signs = seen.archive.client(key)
    assert signs.get_object(Bucket="orders", Key="given/other.txt")["Body"].read() == b"other"
    for refused in (
        lambda: signs.put_object(Bucket="orders", Key="given/x", Body=b"x"),
        lambda: signs.delete_object(Bucket="orders", Key="given/other.txt"),
        lambda: signs.list_objects_v2(Bucket="orders"),
        lambda: signs.delete_bucket_policy(Bucket="orders"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused()
    credentials.revoke(seen.operated.accounts, key.key)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(link, timeout=10)


def key_of_links(seen: Seen) -> Who:
    told = json.loads(seen.operated.accounts.read_text())["accounts"]
    (account,) = (each for each in told if each["id"] == "dayfly.share")
    (key,) = account["keys"]
    return Who("dayfly.share", "", key["access_key_id"], key["secret_access_key"])


def test_nothing_that_a_key_or_a_file_says_runs(seen: Seen) -> None:
    keys = [f"hostile/{attack}" for attack in ATTACKS]
    with seen.operated.opened() as repository:
        for key, attack in zip(keys, ATTACKS, strict=True):
            with repository.stage("orders") as staged:
                staged.write(attack.encode())
                said = Description(metadata={"m": attack}, headers={"content-type": "text/html"})
                repository.put(staged, key, said)
    put(seen, "hostile.html", HTML)
    put(seen, "hostile.svg", SVG)
    wanted = [("/files", {"bucket": "orders", "prefix": "hostile/"}), ("/files", {"name": "owned"})]
    wanted += [
        (path, {"bucket": "orders", "key": key})
        for path in ("/files/object", "/files/delete")
        for key in (*keys[:2], keys[6], "hostile.html", "hostile.svg")
    ]
    for path, told in wanted:
        seen.go(path, **told)
        assert seen.browser.value("document.title").endswith("· Files · Dayfly"), told
        hostile = (
            "main :is(iframe, h1 h1, b, [onload], [onerror], [onmouseover], script:not([src]))"
        )
        assert seen.browser.value(f"document.querySelectorAll('{hostile}').length") == 0
        assert seen.browser.value("document.querySelectorAll('a[href^=\"http\"]').length") == 0

    at = seen.browser.value("location.href")
    for what in ("shown", "saved"):
        for name in ("hostile.svg", "hostile.html"):
            address = f"/files/{what}?bucket=orders&key={quote(name)}"
            seen.browser.ask("Page.navigate", url=f"{seen.address}{address}")
            assert "owned" not in seen.browser.value("document.title")
    seen.browser.ask("Page.navigate", url=at)
    seen.browser.complaints.clear()  # the browser tells of answers that it did not show


def test_the_files_fit_a_phone(seen: Seen) -> None:
    put(seen, "narrow/" + "x" * 200, b"y" * 3000)
    with seen.operated.opened() as repository:
        lease = repository.leases.take(
            "orders", "narrow/" + "x" * 200, owner="recount of the ledger", seconds=60
        )
    told = {"width": 360, "height": 700, "deviceScaleFactor": 1, "mobile": True}
    seen.browser.ask("Emulation.setDeviceMetricsOverride", **told)
    try:
        for path, key in (("/files", ""), ("/files", "narrow/"), ("/files/object", "x" * 200)):
            wanted = {"bucket": "orders", "prefix": key, "key": f"narrow/{key}"}
            seen.go(path, **{name: text for name, text in wanted.items() if text})
            assert seen.browser.value("document.documentElement.scrollWidth") <= 360
    finally:
        seen.browser.ask("Emulation.clearDeviceMetricsOverride")
        with seen.operated.opened() as repository:
            repository.leases.release(lease)
