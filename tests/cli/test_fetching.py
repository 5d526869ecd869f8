"""What lies at a URL, fetched into the archive, and large files that are stored in two goes."""

import hashlib
import json
import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trustme

from dayfly.cli.archive import moving
from dayfly.cli.commands import run
from dayfly.errors import UsageError
from dayfly.files import arriving
from dayfly.files.asking import FetchError, shown
from dayfly.files.errors import ConditionError, NoSuchKeyError
from dayfly.files.fetching import ChangedError
from dayfly.files.objects import Asked, Description, Provenance, Versioning
from dayfly.files.repository import Repository
from feeding import Feed, feeding

MIB = 1 << 20
LARGE = os.urandom(1024) * 1024 * 13  # 13 MiB: two whole parts and a rest
Typed = Callable[..., Any]


@pytest.fixture(scope="module")
def server() -> Iterator[Feed]:
    with feeding() as running:
        yield running


@pytest.fixture
def feed(server: Feed, monkeypatch: pytest.MonkeyPatch) -> Feed:
    """With parts that are small enough to have some."""
    monkeypatch.setattr(arriving, "PART", 5 * MIB)
    server.files = {"/rates.csv": ('"one"', b"EUR 1"), "/large": ('"L"', LARGE)}
    server.moved, server.breaks, server.refuses, server.asked = {}, [], [], []
    server.ranges, server.heeds, server.changes = True, True, []
    server.says_etag, server.says_size, server.dated = True, True, False
    return server


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    with closing(Repository(folder, folder / ".dayfly/index")) as repository:
        repository.create_bucket("shop", owner="dayfly")
        repository.set_versioning("shop", Versioning.ENABLED)
    return folder


@pytest.fixture
def typed(root: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    def type_(*words: str) -> Any:  # noqa: ANN401 - JSON
        assert run(["files", *words, "--root", str(root), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return type_


def data(root: Path, key: str) -> bytes:
    return (root / "data/shop" / key).read_bytes()


def uploads(root: Path) -> int:
    with closing(Repository(root, root / ".dayfly/index")) as repository:
        return len(repository.list_uploads("shop", Asked()).uploads)


def test_what_was_fetched_is_asked_for_again_only_if_it_changed(
    feed: Feed, typed: Typed, root: Path
) -> None:
    feed.moved["/latest"] = f"{feed.url}/rates.csv"
    first = typed("fetch", f"{feed.url}/latest?token=geheim", "shop/rates.csv")
    again = typed("fetch", f"{feed.url}/latest?token=geheim", "shop/rates.csv")
    feed.files["/rates.csv"] = ('"two"', b"EUR 2")
    changed = typed("fetch", f"{feed.url}/latest?token=geheim", "shop/rates.csv")

    assert [each["unchanged"] for each in (first, again, changed)] == [False, True, False]
    assert first["version"] == again["version"] != changed["version"]
    assert data(root, "rates.csv") == b"EUR 2"
    told = changed["provenance"]
    assert (told["source"], told["validator"]) == (f"{feed.url}/latest?token=***", '"two"')
    row, _ = typed("versions", "shop/rates.csv")
    assert row["provenance"] == told


def test_a_line_that_breaks_is_gone_on_with(feed: Feed, typed: Typed, root: Path) -> None:
    feed.breaks, feed.refuses = [6 * MIB, 1000, 2 * MIB], [503]
    wanted = f"sha256:{hashlib.sha256(LARGE).hexdigest()}"

    typed("fetch", f"{feed.url}/large", "shop/", "--checksum", wanted)

    assert data(root, "large") == LARGE
    asked = [headers.get("range", "") for _, headers in feed.asked]
    starts = (6 * MIB, 6 * MIB + 1000, 8 * MIB + 1000)
    assert asked == ["", "", *(f"bytes={start}-" for start in starts)]


def test_a_second_try_goes_on_behind_what_the_first_has_left(
    feed: Feed, typed: Typed, root: Path
) -> None:
    wanted = f"sha256:{hashlib.sha256(LARGE).hexdigest()}"
    feed.breaks = [11 * MIB]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("dayfly.files.fetching.ATTEMPTS", 1)
        with pytest.raises(FetchError, match=r"ended after 11534336 of 13631488 bytes"):
            typed("fetch", f"{feed.url}/large", "shop/large")
    with pytest.raises(NoSuchKeyError):
        typed("get", "shop/large", str(root.parent / "none"))
    feed.asked.clear()
    typed("fetch", f"{feed.url}/large", "shop/large", "--checksum", wanted)

    ((_, headers),) = feed.asked
    assert (headers["range"], headers["if-range"]) == (f"bytes={10 * MIB}-", '"L"')
    assert (data(root, "large"), uploads(root)) == (LARGE, 0)


def test_what_changed_meanwhile_is_fetched_anew(feed: Feed, typed: Typed, root: Path) -> None:
    feed.breaks = [11 * MIB]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("dayfly.files.fetching.ATTEMPTS", 1)
        with pytest.raises(FetchError):
            typed("fetch", f"{feed.url}/large", "shop/large")
    feed.files["/large"] = ('"M"', LARGE[::-1])
    typed("fetch", f"{feed.url}/large", "shop/large")

    assert (data(root, "large"), uploads(root)) == (LARGE[::-1], 0)


def test_a_server_that_sends_parts_of_whatever_lies_there_now_is_found_out(
    feed: Feed, typed: Typed, root: Path
) -> None:
    feed.heeds, feed.breaks = False, [11 * MIB]
    other = {"/large": ('"M"', LARGE[::-1])}
    feed.changes = [{}, other]
    with pytest.raises(ChangedError, match="changed while it came"):
        typed("fetch", f"{feed.url}/large", "shop/large")
    assert uploads(root) == 0
    feed.files["/large"], feed.breaks = ('"L"', LARGE), [11 * MIB]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("dayfly.files.fetching.ATTEMPTS", 1)
        with pytest.raises(FetchError, match="the connection ended"):
            typed("fetch", f"{feed.url}/large", "shop/large")
    assert uploads(root) == 1
    feed.files.update(other)

    typed("fetch", f"{feed.url}/large", "shop/large")

    assert (data(root, "large"), uploads(root)) == (LARGE[::-1], 0)


@pytest.mark.parametrize("silent", ["says_etag", "says_size"])
def test_a_part_that_does_not_say_what_it_is_of_is_not_joined(
    feed: Feed, typed: Typed, root: Path, silent: str
) -> None:
    """The same state is read from the start; another one is not taken for its rest."""
    setattr(feed, silent, False)
    feed.breaks = [6 * MIB, 2 * MIB, 7 * MIB]
    typed("fetch", f"{feed.url}/large", "shop/large")
    assert data(root, "large") == LARGE

    feed.heeds, feed.breaks = False, [6 * MIB]
    feed.changes = [{}, {"/large": ('"M"', LARGE[::-1])}]
    with pytest.raises(ChangedError, match="changed while it came"):
        typed("fetch", f"{feed.url}/large", "shop/other")
    assert uploads(root) == 0


def test_an_upload_that_no_part_came_of_is_begun_anew(feed: Feed, typed: Typed, root: Path) -> None:
    """By who was killed in between; that it has not changed is no answer then."""
    url = f"{feed.url}/rates.csv"
    told = Description(provenance=Provenance(source=url, validator='"one"'))
    with closing(Repository(root, root / ".dayfly/index")) as repository:
        repository.begin_upload("shop", "rates.csv", told)
    typed("fetch", url, "shop/rates.csv")

    assert (data(root, "rates.csv"), uploads(root)) == (b"EUR 1", 0)


def test_a_date_is_no_proof_of_a_state(feed: Feed, typed: Typed, root: Path) -> None:
    feed.dated, feed.breaks = True, [11 * MIB]
    feed.files["/large"] = ("", LARGE)
    with pytest.raises(FetchError, match="no strong ETag to go on by"):
        typed("fetch", f"{feed.url}/large", "shop/large")

    assert (list((root / "data/shop").iterdir()), uploads(root)) == ([], 0)


def test_a_server_without_ranges_is_read_from_the_start(
    feed: Feed, typed: Typed, root: Path
) -> None:
    feed.ranges, feed.breaks = False, [6 * MIB]
    typed("fetch", f"{feed.url}/large", "shop/large")

    assert data(root, "large") == LARGE


@pytest.mark.parametrize(
    ("path", "words", "says"),
    [
        ("/none", (), "answers 404 Not Found"),
        ("/rates.csv", ("--checksum", "sha256:" + "0" * 64), "its sha256 is"),
        ("/large", ("--checksum", "sha512:" + "0" * 128), "its sha512 is"),
        ("/large", ("--most", "12MB"), "is larger than 12"),
        ("/around", (), "infinite loop"),
    ],
)
def test_nothing_is_stored_of_what_is_wrong(
    feed: Feed, typed: Typed, root: Path, path: str, words: tuple[str, ...], says: str
) -> None:
    feed.moved["/around"] = "/around"

    with pytest.raises(FetchError, match=says):
        typed("fetch", f"{feed.url}{path}", "shop/a", *words)
    assert (list((root / "data/shop").iterdir()), uploads(root)) == ([], 0)


def test_what_is_there_already_can_be_kept(feed: Feed, typed: Typed) -> None:
    typed("fetch", f"{feed.url}/rates.csv", "shop/a")
    feed.files["/rates.csv"] = ('"two"', b"EUR 2")

    with pytest.raises(ConditionError):
        typed("fetch", f"{feed.url}/rates.csv", "shop/a", "--new")


def test_a_certificate_that_nobody_vouches_for(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    with feeding(context) as feed:
        feed.files["/a"] = ("", b"1")
        with pytest.raises(FetchError, match="its certificate is not trusted"):
            typed("fetch", f"{feed.url}/a", "shop/a")
        ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        typed("fetch", f"{feed.url}/a", "shop/a")
        feed.moved["/down"] = "http://127.0.0.1:1/a"
        with pytest.raises(FetchError, match="which is not encrypted"):
            typed("fetch", f"{feed.url}/down", "shop/a")


@pytest.mark.parametrize(
    ("url", "target", "says"),
    [
        ("ftp://files.example/a", "shop/a", "is no URL"),
        ("https://ann:geheim@files.example/a", "shop/a", "a URL with a password would be kept"),
        ("https://files.example/", "shop/in/", "has no name at its end"),
    ],
)
def test_a_url_that_can_not_be_fetched(typed: Typed, url: str, target: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as told:
        typed("fetch", url, target)
    assert "geheim" not in told.value.message


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://h/a?page=2#part", "https://h/a?page=2"),
        ("https://u:p@h:1/a", "https://h:1/a"),
        (
            "https://h/a?X-Amz-Date=1&X-Amz-Signature=abc",
            "https://h/a?X-Amz-Date=1&X-Amz-Signature=***",
        ),
        ("https://h/a?sv=1&sig=abc", "https://h/a?sv=1&sig=***"),
        ("https://h/a?design=1", "https://h/a?design=1"),
    ],
)
def test_no_secret_of_a_url_is_kept(url: str, kept: str) -> None:
    assert shown(url) == kept


def test_a_large_file_is_stored_in_two_goes(
    feed: Feed, typed: Typed, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one stores what the first did not, and no byte that has changed since."""
    monkeypatch.setattr(moving, "RESUMED", MIB)
    file = tmp_path / "large"
    file.write_bytes(LARGE)
    put = Repository.put_part
    done: list[int] = []

    def broken(repository: Repository, upload: Any, number: int, staged: Any) -> Any:  # noqa: ANN401
        done.append(number)
        if len(done) == 3:
            raise KeyboardInterrupt
        return put(repository, upload, number, staged)

    monkeypatch.setattr(Repository, "put_part", broken)
    with pytest.raises(KeyboardInterrupt):
        typed("put", str(file), "shop/large")
    changed = LARGE[: 7 * MIB] + b"x" + LARGE[7 * MIB + 1 :]
    file.write_bytes(changed)
    typed("put", str(file), "shop/large")

    assert done == [1, 2, 3, 2, 3]
    assert (data(root, "large"), uploads(root)) == (changed, 0)
