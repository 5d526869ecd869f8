"""The files page as HTML and JSON: what it shows of a real archive, and what it lets one change."""

import http.client
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from dayfly.config.home import Home
from dayfly.config.load import load_environment
from dayfly.console import Sessions, routes
from dayfly.environment.operated import operated
from dayfly.files.catalogue import Known
from dayfly.files.errors import NoSuchKeyError
from dayfly.files.objects import Asked, Description, Provenance, Version, Versioning
from dayfly.files.operated import Operated
from dayfly.files.repository import Repository
from dayfly.files.statements import settled, with_version
from fake_server import FakeEnvironment, serving
from fake_server.lines import ATTACKS
from fake_server.scenes import quiet
from fake_server.visitor import Visitor

HTML = b"<script>document.title='owned'</script>"


@dataclass(frozen=True)
class Console:
    """A console with an archive behind it, and the visit of ada."""

    environment: FakeEnvironment
    visitor: Visitor
    seal: str

    @contextmanager
    def archive(self) -> Iterator[Repository]:
        with self.environment.operated.opened() as repository:
            yield repository

    def put(self, key: str, data: bytes = b"data", bucket: str = "kept", **told: object) -> Version:
        described = Description(provenance=Provenance(who="orders", **told))  # type: ignore[arg-type]
        with self.archive() as repository, repository.stage(bucket) as staged:
            staged.write(data)
            return repository.put(staged, key, described)

    def head(self, key: str, bucket: str = "kept") -> Version | None:
        with self.archive() as repository:
            try:
                return repository.head(bucket, key)
            except NoSuchKeyError:
                return None

    def page(self, path: str = "/files", **told: object) -> str:
        answer, body = self.visitor.get(f"{path}?{urlencode(told)}")
        assert answer.status == 200, body
        return unescape(body)

    def confirm(self, address: str) -> tuple[http.client.HTTPResponse, str]:
        """Go to where something is asked once more, and say yes."""
        answer, body = self.visitor.get(address)
        assert answer.status == 200, body
        found = re.search(r'<form action="([^"]+)" method="post"', body)
        assert found
        return self.visitor.post(unescape(found[1]), seal=self.seal)

    def undo(self, answer: http.client.HTTPResponse) -> str:
        """The address that a page offers after a deletion."""
        assert answer.status == 303
        folder = self.visitor.get(answer.headers["Location"])[1]
        found = re.search(r'id="undo" href="([^"]+)"', folder)
        assert found, folder
        return unescape(found[1])

    def send(
        self, method: str, what: str, body: bytes = b"", *, seal: str | None = None, **told: object
    ) -> tuple[int, dict[str, str]]:
        connection = http.client.HTTPConnection(
            self.visitor.address.removeprefix("http://"), timeout=10
        )
        headers = {**self.visitor.headers, "X-Dayfly-Seal": self.seal if seal is None else seal}
        connection.request(method, f"/files/{what}?{urlencode(told)}", body, headers)
        answer = connection.getresponse()
        said = json.loads(answer.read())
        connection.close()
        return answer.status, said


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    home = tmp_path_factory.mktemp("home")
    operated = Operated(
        root=home / "archive",
        index=home / "index",
        accounts=home / "accounts.json",
        endpoint=lambda host: f"http://{host}:8083",
    )
    operated.root.mkdir()
    repository = Repository(operated.root, operated.index)
    for name, versioning in (("kept", Versioning.ENABLED), ("loose", Versioning.NEVER)):
        repository.create_bucket(name, owner="orders")
        if versioning:
            repository.set_versioning(name, versioning)
    repository.close()
    environment, sessions = quiet(), Sessions(b"k" * 32)
    environment.operated = operated
    value = sessions.enter(sessions.code("ada@desk"))
    assert value
    with serving(routes(environment, sessions, {"127.0.0.1"})) as address:
        visitor = Visitor(address, {"Cookie": f"{sessions.cookie}={value}"})
        yield Console(environment, visitor, sessions.seal(value))


LOOKS = ("", "/object", "/deleted", "/saved", "/shown", "/there", "/restore", "/delete")


@pytest.mark.parametrize("path", LOOKS)
def test_without_a_session_there_are_no_files(console: Console, path: str) -> None:
    console.put("secret.txt", b"secret")
    stranger = replace(console.visitor, headers={})
    answer, body = stranger.get(f"/files{path}?bucket=kept&key=secret.txt")

    assert answer.status == 401
    assert "secret" not in body


def gone(root: Path) -> Callable[[], Operated]:
    return lambda: Operated(root=root, index=root, accounts=root, endpoint=str)


def damaged(root: Path) -> Callable[[], Operated]:
    Repository(root, root / ".dayfly/index").close()
    (root / "index").write_text("no folder")
    return lambda: Operated(root=root, index=root / "index", accounts=root, endpoint=str)


def in_another_s3(root: Path) -> Callable[[], Operated]:
    settings = load_environment('[files]\nstore = "s3://company"\n')
    return lambda: operated(Home(root), settings)


@pytest.mark.parametrize(
    ("away", "says"),
    [
        (gone, "there is no archive"),
        (damaged, "dayfly files rebuild"),
        (in_another_s3, "the files of this environment are in s3://company"),
    ],
)
def test_where_the_archive_is_away_every_page_says_so(
    console: Console, tmp_path: Path, away: Callable[[Path], Callable[[], Operated]], says: str
) -> None:
    console.environment.refers = away(tmp_path)
    told = urlencode({"bucket": "kept", "key": "a.txt", "was": "x", "upload": "u", "number": 1})
    try:
        shown = [console.visitor.get(f"/files{path}?{told}") for path in LOOKS if path != "/there"]
        shown += [console.visitor.get("/files")]
        shown += [
            console.visitor.post(f"/files/{what}?{told}", seal=console.seal, duration="1h")
            for what in ("delete", "restore", "link")
        ]
        sent = [
            console.send(method, f"upload/{what}", body, bucket="kept", key="a.txt", was="")
            for method, what, body in (("PUT", "put", b"x"), ("POST", "begin", b""))
        ]
    finally:
        console.environment.refers = None

    for answer, page in shown:
        assert (answer.status, says in unescape(page)) == (503, True), page
        assert '<nav class="where"' in page
    for status, body in sent:
        assert (status, says in body["error"] + body["hint"]) == (503, True), body


@pytest.mark.parametrize("seal", ["", "x", "é"])
@pytest.mark.parametrize("what", ["delete", "restore", "link"])
def test_nothing_changes_without_the_seal_of_the_visit(
    console: Console, what: str, seal: str
) -> None:
    version = console.put("sealed.txt")
    told = urlencode({"bucket": "kept", "key": "sealed.txt", "was": version.etag})
    answer, body = console.visitor.post(f"/files/{what}?{told}", seal=seal, duration="1h")

    assert answer.status == 403
    assert "not of your visit" in body
    assert console.head("sealed.txt") == version


@pytest.mark.parametrize(
    ("method", "what"),
    [("PUT", "put"), ("POST", "begin"), ("PUT", "part"), ("POST", "complete"), ("POST", "abort")],
)
def test_nothing_is_uploaded_without_the_seal(console: Console, method: str, what: str) -> None:
    told = {"bucket": "kept", "key": "forged", "was": "", "number": 1, "upload": "x"}

    assert console.send(method, f"upload/{what}", b"x", seal="wrong", **told)[0] == 403
    assert console.head("forged") is None


def test_buckets_are_told_with_what_they_hold(console: Console) -> None:
    with console.archive() as repository:
        repository.create_bucket("measured", owner="billing")
        repository.set_limits("measured", quota=1000, trash_seconds=86_400)
        repository.leases.take("measured", "ledger", owner="recount", seconds=60)
    console.put("a", b"x" * 870, bucket="measured")
    body = re.sub(r"\s+", " ", console.page())

    line = body[body.index(">measured</a>") :].partition("</tr>")[0]
    assert "<td>billing</td>" in line
    assert "870 B" in line
    assert "87 % of 1000 B" in line
    assert 'class="span warm" width="87.0%"' in line
    assert "keeps no versions, trash for 1 day" in line
    assert "1 lease<" in line
    folder = console.page(bucket="measured")
    assert "recount has the lease until" in folder


def test_a_million_keys_are_paged(console: Console) -> None:
    """As many as two pages and a bit stand for them: each page asks for its own rows only."""
    names = [f"paged/{n:04}" for n in range(450)] + [f"paged/sub{n}/x" for n in range(5)]
    with console.archive() as repository:
        catalogue = repository.ground.catalogue
        known = (Known(Version(bucket="loose", key=name, uid="u", null=True)) for name in names)
        catalogue.commit([with_version(each) for each in known])
        catalogue.commit([each for name in names for each in settled("loose", name)])
    shown, address, pages = list[str](), "/files?bucket=loose&prefix=paged/", 0
    while address:
        body = console.visitor.get(address)[1]
        shown += re.findall(r'<th scope="row"><a class="name" href="[^"]+">([^<]+)</a>', body)
        found = re.search(r'<a href="([^"]+)" rel="next">', body)
        address, pages = unescape(found[1]) if found else "", pages + 1

    assert pages == 3
    assert sorted(shown) == [f"{n:04}" for n in range(450)] + [f"sub{n}/" for n in range(5)]
    few = console.visitor.get("/files?bucket=loose&prefix=paged/004")[1]
    assert few.count('<th scope="row">') == 10
    assert ">0049</a>" in few


def test_objects_are_found_by_what_is_known(console: Console) -> None:
    with console.archive() as repository, repository.stage("kept") as staged:
        said = Description(metadata={"author": "ann"}, tags={"state": "paid"})
        repository.put(staged, "found/Bill-7.pdf", said)
    console.put("found/other.pdf", release="41", machine="orders-41-web-1")
    for told, names in (
        ({"name": "bill-7"}, {"found/Bill-7.pdf"}),
        ({"name": "found/*.pdf"}, {"found/Bill-7.pdf", "found/other.pdf"}),
        ({"tag": "state=paid"}, {"found/Bill-7.pdf"}),
        ({"metadata": "author=ann"}, {"found/Bill-7.pdf"}),
        ({"provenance": "release=41"}, {"found/other.pdf"}),
        ({"name": "found", "until": "1h"}, set()),
    ):
        body = console.page(bucket="kept", **told)
        assert set(re.findall(r'<a class="name" href="/files/object[^>]+>([^<]+)<', body)) == names
    assert "orders, release 41, orders-41-web-1" in console.page(name="other.pdf")
    answer, body = console.visitor.get("/files?bucket=kept&since=yesterday")
    assert answer.status == 400
    assert "since: found &#39;yesterday&#39;" in body


def test_an_earlier_version_is_restored_by_somebody_who_is_told(console: Console) -> None:
    first = console.put("story.txt", b"first", release="7")
    console.put("story.txt", b"second")
    body = console.page("/files/object", bucket="kept", key="story.txt")
    assert "orders, release 7" in body
    back = f"/files/restore?bucket=kept&key=story.txt&version={first.id}"
    assert f'href="{back}"' in body

    assert "ada@desk did this" in console.page(
        "/files/restore", bucket="kept", key="story.txt", version=first.id
    )
    assert console.head("story.txt").size == 6  # type: ignore[union-attr]
    answer, _ = console.confirm(back)
    assert answer.status == 303
    current = console.head("story.txt")
    assert current
    assert current.etag == first.etag
    assert current.description.restored_from == first.id
    assert current.description.provenance.who == "ada@desk"
    body = console.page("/files/object", bucket="kept", key="story.txt")
    line = body[body.index('<tr aria-current="true">') :].partition("</tr>")[0]
    assert "ada@desk, restored in the console" in line
    assert f"from version {first.id}" in line


@pytest.mark.parametrize("what", ["restore", "delete"])
def test_what_somebody_else_changed_meanwhile_stays(console: Console, what: str) -> None:
    first = console.put(f"raced-{what}", b"first")
    console.put(f"raced-{what}", b"second")
    told = {"bucket": "kept", "key": f"raced-{what}"}
    told |= {"version": first.id} if what == "restore" else {}
    body = console.page(f"/files/{what}", **told)
    action = re.search(r'<form action="([^"]+)" method="post"', body)
    assert action
    theirs = console.put(f"raced-{what}", b"theirs")

    answer, body = console.visitor.post(action[1], seal=console.seal)
    assert answer.status == 412
    assert "somebody else has changed it meanwhile" in body
    assert console.head(f"raced-{what}") == theirs


def test_a_deletion_is_undone(console: Console) -> None:
    console.put("docs/gone.txt", b"bytes")
    sure = console.page("/files/delete", bucket="kept", key="docs/gone.txt")
    assert "what was there can be restored" in sure
    answer, _ = console.confirm("/files/delete?bucket=kept&key=docs/gone.txt")
    assert answer.status == 303
    assert console.head("docs/gone.txt") is None

    undo = console.undo(answer)
    assert "docs/gone.txt" in console.page("/files/deleted", bucket="kept")
    gone = console.page("/files/object", bucket="kept", key="docs/gone.txt")
    assert "This object is deleted" in gone
    assert "ada@desk, deleted in the console" in gone
    console.confirm(undo)
    assert console.head("docs/gone.txt").size == 5  # type: ignore[union-attr]


def test_a_bucket_without_versions_has_its_trash(console: Console) -> None:
    with console.archive() as repository:
        repository.create_bucket("bin", owner="orders")
    console.put("one", b"one", bucket="bin")
    sure = console.page("/files/delete", bucket="bin", key="one")
    assert "gone for good" in sure
    assert "ada@desk" not in sure  # nothing is left that could tell it
    with console.archive() as repository:
        repository.set_limits("bin", trash_seconds=3600)
    answer, _ = console.confirm("/files/delete?bucket=bin&key=one")
    undo = console.undo(answer)
    assert 'title="Restore it">one</a>' in console.page("/files/deleted", bucket="bin")

    console.confirm(undo)
    current = console.head("one", "bin")
    assert current
    assert (current.size, current.description.provenance.who) == (3, "ada@desk")


def test_a_file_arrives_at_once_or_in_parts(console: Console) -> None:
    there = {"bucket": "kept", "key": "up/a b.csv"}
    seen = console.send("GET", "there", size=9 << 20, **there)[1]
    assert (seen["etag"], seen["part"]) == ("", 8 << 20)
    status, made = console.send("PUT", "upload/put", b"1,2", **there, was="")
    assert status == 200
    current = console.head("up/a b.csv")
    assert current
    assert current.description.provenance == Provenance(
        who="ada@desk", source="uploaded in the console"
    )
    assert current.description.owner == "orders"
    assert current.description.headers == {"content-type": "text/csv"}

    large, second = b"x" * (5 << 20), b"end"
    upload = console.send("POST", "upload/begin", **there)[1]["upload"]
    etags = [
        console.send("PUT", "upload/part", data, **there, upload=upload, number=n)[1]["etag"]
        for n, data in ((1, large), (2, second))
    ]
    told = {**there, "upload": upload, "was": made["etag"]}
    body = json.dumps({"etags": etags}).encode()
    assert console.send("POST", "upload/complete", body, **there, upload=upload, was="")[0] == 412
    status, whole = console.send("POST", "upload/complete", body, **told)
    assert status == 200
    assert console.send("POST", "upload/complete", body, **told)[1] == whole  # its answer got lost
    assert console.head("up/a b.csv").size == (5 << 20) + 3  # type: ignore[union-attr]


def test_an_upload_that_nobody_ended_is_discarded(console: Console) -> None:
    there = {"bucket": "kept", "key": "half/<b>.bin"}
    console.send("POST", "upload/begin", **there)
    body = console.visitor.get("/files?bucket=kept&prefix=half/")[1]
    assert "by ada@desk" in body
    assert "half/&lt;b&gt;.bin" in body
    discard = re.search(r'<a class="act" href="(/files/discard[^"]+)"', body)
    assert discard
    address = unescape(discard[1])
    assert console.visitor.post(address, seal="x")[0].status == 403

    assert console.confirm(address)[0].status == 303
    assert "Unfinished" not in console.page(bucket="kept", prefix="half/")
    assert console.visitor.get(address)[0].status == 404


@pytest.mark.parametrize(
    ("told", "body", "status", "says"),
    [
        ({"key": "k"}, b"", 400, "was: is missing"),
        ({"key": "k" * 1025, "was": ""}, b"", 400, "1 to 1024 bytes"),
        ({"was": ""}, b"", 400, "names no object"),
        ({"key": "k", "was": "0" * 32}, b"", 412, "deleted meanwhile"),
        ({"key": "k", "was": "", "bucket": "nowhere"}, b"", 404, "no such bucket"),
    ],
)
def test_an_upload_that_is_wrong_is_refused(
    console: Console, told: dict[str, str], body: bytes, status: int, says: str
) -> None:
    found, said = console.send("PUT", "upload/put", body, **{"bucket": "loose", **told})

    assert found == status
    assert says in said["error"]


def test_who_has_the_lease_is_told_to_who_writes(console: Console) -> None:
    version = console.put("ledger")
    with console.archive() as repository:
        lease = repository.leases.take("kept", "ledger", owner="recount", seconds=60)
    told = {"bucket": "kept", "key": "ledger", "was": version.etag}
    status, said = console.send("PUT", "upload/put", b"x", **told)
    answer, body = console.confirm("/files/delete?bucket=kept&key=ledger")

    assert status == answer.status == 423
    assert "recount has the lease" in said["error"]
    assert "recount has the lease" in body
    assert "recount has the lease until" in console.page(
        "/files/object", bucket="kept", key="ledger"
    )
    with console.archive() as repository:
        repository.leases.release(lease)


def test_a_full_bucket_is_told(console: Console) -> None:
    with console.archive() as repository:
        repository.create_bucket("full", owner="orders")
        repository.set_limits("full", quota=10)
    status, said = console.send("PUT", "upload/put", b"x" * 11, bucket="full", key="k", was="")

    assert status == 507
    assert "11 more are too many" in said["error"]


def saved(console: Console, key: str, what: str = "saved", **headers: str) -> tuple[object, bytes]:
    connection = http.client.HTTPConnection(
        console.visitor.address.removeprefix("http://"), timeout=10
    )
    path = f"/files/{what}?bucket=kept&key={quote(key)}"
    connection.request("GET", path, headers={**console.visitor.headers, **headers})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_a_file_is_saved_whole_or_from_where_one_goes_on(console: Console) -> None:
    version = console.put("save/ü \u202e.bin", bytes(range(256)) * 1000)
    answer, body = saved(console, version.key)
    assert body == bytes(range(256)) * 1000
    headers = answer.headers  # type: ignore[attr-defined]
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''%C3%BC%20.bin"
    assert headers["ETag"] == f'"{version.etag}"'

    told = {"Range": "bytes=255999-", "If-Range": headers["ETag"]}
    answer, body = saved(console, version.key, **told)
    assert (answer.status, body) == (206, b"\xff")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("key", "data", "status", "kind"),
    [
        ("evil.html", HTML, 400, "text/html"),
        ("evil.svg", b"<svg xmlns='http://www.w3.org/2000/svg'>" + HTML, 200, "image/svg+xml"),
        ("evil.png", HTML, 400, "text/html"),
        ("page.pdf", b"%PDF-1.4 " + HTML, 200, "application/pdf"),
    ],
)
def test_what_is_shown_can_run_nothing(
    console: Console, key: str, data: bytes, status: int, kind: str
) -> None:
    console.put(key, data)
    answer, body = saved(console, key, "shown")
    headers = answer.headers  # type: ignore[attr-defined]

    assert answer.status == status  # type: ignore[attr-defined]
    assert headers.get_content_type() == kind
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    if kind == "text/html":
        assert HTML not in body
    else:
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert ("sandbox" in policy) == (kind != "application/pdf")
        assert headers["Content-Disposition"].startswith(
            "inline" if kind == "application/pdf" else "attachment"
        )
    everything = saved(console, key)[0].headers  # type: ignore[attr-defined]
    assert everything.get_content_type() == "application/octet-stream"
    assert "sandbox" in everything["Content-Security-Policy"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_a_key_or_a_file_says_stays_text(console: Console, attack: str) -> None:
    key = f"hostile/{attack}"
    with console.archive() as repository, repository.stage("kept") as staged:
        staged.write(attack.encode())
        said = Description(
            metadata={"m": attack},
            tags={attack: attack},
            headers={"content-type": "text/html"},
            provenance=Provenance(who=attack, source=attack),
        )
        repository.put(staged, key, said)
    told = urlencode({"bucket": "kept", "key": key})
    addresses = [
        f"/files/object?{told}",
        f"/files/delete?{told}",
        f"/files?{urlencode({'bucket': 'kept', 'prefix': 'hostile/'})}",
        f"/files?{urlencode({'bucket': 'kept', 'prefix': key})}",
        f"/files?{urlencode({'name': attack, 'tag': f'{attack}={attack}', 'since': attack})}",
    ]
    bodies = [console.visitor.get(address)[1] for address in addresses]
    console.confirm(addresses[1])
    bodies.append(console.visitor.get(addresses[0])[1])
    bodies.append(console.visitor.get("/files/deleted?bucket=kept")[1])
    bodies.append(console.visitor.get(f"/files?{urlencode({'bucket': 'kept', 'gone': key})}")[1])

    assert console.head(key) is None
    for body in bodies:
        bare = re.sub(r'<script src="/static/[a-z]+\.js"[^>]*></script>', "", body)
        assert not re.search(r"<(script|img|svg/|h1>owned|b>|a href='|/textarea)", bare)
        assert not re.search(r"<[^>]* on[a-z]+=", re.sub(r'"[^"]*"', '""', bare))
        assert not {"\x1b", "\u202e", "\u2066", "\x00", "\x85"} & set(body)
        assert " style=" not in re.sub(r'"[^"]*"', '""', bare)


@pytest.mark.parametrize("key", ["../../etc/passwd", "a//b/", "..", "a/\r\n", " ", "%2e%2e/x"])
def test_awkward_keys_go_through_every_door(console: Console, key: str) -> None:
    there = {"bucket": "kept", "key": key}
    assert console.send("PUT", "upload/put", b"data", **there, was="")[0] == 200
    assert saved(console, key)[1] == b"data"
    assert console.page("/files/object", **there)
    answer, _ = console.confirm(f"/files/delete?{urlencode(there)}")
    assert answer.status == 303
    assert console.head(key) is None
    undo = console.undo(answer)
    console.confirm(undo)
    assert console.head(key)
    with console.archive() as repository:
        listed = repository.list("kept", Asked(prefix=key)).entries
    assert key in [each.key for each in listed]


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/files?bucket=nowhere", 404, "no such bucket"),
        ("/files/object?bucket=kept&key=nothing", 404, "there is nothing of it"),
        ("/files/object?bucket=kept", 400, "names no object"),
        ("/files/restore?bucket=kept&key=nothing&version=x", 404, "no version x"),
        ("/files/restore?bucket=kept&key=nothing&trashed=../../x", 404, "not in the trash"),
        ("/files/delete?bucket=kept&key=nothing", 404, "no such key"),
        ("/files/saved?bucket=kept&key=nothing", 404, "no such key"),
        ("/files/deleted?bucket=../x", 404, "no such bucket"),
    ],
)
def test_what_is_not_there_is_told(console: Console, path: str, status: int, says: str) -> None:
    answer, body = console.visitor.get(path)

    assert answer.status == status
    assert says in body


def test_a_link_needs_a_time_that_s3_knows(console: Console) -> None:
    console.put("shared.txt")
    address = "/files/link?bucket=kept&key=shared.txt"
    for duration, says in (("8d", "1 s to 7 days"), ("soon", "duration: found"), ("0s", "1 s to")):
        answer, body = console.visitor.post(address, seal=console.seal, duration=duration)
        assert answer.status == 400
        assert says in body
    answer, body = console.visitor.post(
        "/files/link?bucket=kept&key=../../etc/passwd", seal=console.seal, duration="1h"
    )
    assert "take `.` and `..` out" in body


def test_an_archive_that_is_away_is_told(console: Console, tmp_path: Path) -> None:
    here = console.environment.operated
    console.environment.operated = replace(here, root=tmp_path)
    try:
        answer, body = console.visitor.get("/files")
        assert answer.status == 503
        assert "there is no archive" in body
        assert console.send("PUT", "upload/put", b"x", bucket="kept", key="k", was="")[0] == 503
    finally:
        console.environment.operated = here
    assert not list(tmp_path.iterdir())
