"""An environment whose files are in a bucket of somebody else's S3: here another archive."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archive import MAIN, S3, Archive, archive
from dayfly.cli.commands import run
from dayfly.config.home import Home, create
from dayfly.config.load import load_environment
from dayfly.config.secrets import Secrets
from dayfly.environment import elsewhere
from dayfly.environment.archive import note
from dayfly.environment.declared import settings_of
from dayfly.errors import DayflyError
from dayfly.files.condition import ANY, Condition
from dayfly.files.errors import ConditionError, NotKeptError
from dayfly.files.mount import Mount
from dayfly.files.remote.racing import verdict
from feeding import feeding

Typed = Callable[..., Any]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    with archive(tmp_path_factory.mktemp("other")) as running:
        running.client().create_bucket(Bucket="company")
        versioned = {"Status": "Enabled"}
        running.client().put_bucket_versioning(Bucket="company", VersioningConfiguration=versioned)
        yield running


@pytest.fixture(scope="module")
def home(other: Archive, tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = Home(tmp_path_factory.mktemp("home"))
    made.environment_toml.write_text(
        f'[files]\nstore = "s3://company"\ns3.endpoint = "{other.url}"\n'
    )
    create(made)
    secrets = Secrets(made.secrets)
    secrets.set("dayfly", "FILES_ACCESS_KEY_ID", MAIN.key)
    secrets.set("dayfly", "FILES_SECRET_ACCESS_KEY", MAIN.secret)
    there = elsewhere.elsewhere_of(made, settings_of(made))
    assert there is not None
    assert elsewhere.answers(there)
    assert elsewhere.told(made) == elsewhere.UNASKED
    assert elsewhere.race(made, there) == elsewhere.told(made) == Mount()
    assert note(made, settings_of(made)) == ""
    return made


@pytest.fixture
def typed(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    monkeypatch.setenv("DAYFLY_HOME", str(home.path))

    def type_(*words: str) -> Any:  # noqa: ANN401 - JSON
        assert run(["files", *words]) == 0
        said = capsys.readouterr().out
        return json.loads(said) if "--json" in words else said

    return type_


def test_a_copy_is_of_one_state_of_its_source(home: Home, other: Archive) -> None:
    there = elsewhere.elsewhere_of(home, settings_of(home))
    assert there is not None
    with closing(elsewhere.opened(home, there)) as store:
        s3 = other.client()
        s3.create_bucket(Bucket="plain")
        s3.put_object(Bucket="plain", Key="a", Body=b"1")
        seen = store.head("plain", "a")
        assert store.copy(seen, "plain", "b").etag == seen.etag
        s3.put_object(Bucket="plain", Key="a", Body=b"2")
        with pytest.raises(ConditionError):
            store.copy(seen, "plain", "b")
        assert store.head("plain", "b").etag == seen.etag


@pytest.fixture
def s3(other: Archive) -> S3:
    return other.client()


def test_the_probe_leaves_nothing(home: Home, s3: S3) -> None:
    found = s3.list_object_versions(Bucket="company", Prefix=".dayfly")
    assert not {"Versions", "DeleteMarkers"} & found.keys()


def test_commands_act_on_the_bucket(typed: Typed, s3: S3, tmp_path: Path) -> None:
    typed("create", "papers", "--versions")
    note_ = tmp_path / "note.txt"
    for text in ("one", "two"):
        note_.write_text(text)
        typed("put", str(note_), "papers/letters/ä note")
    assert s3.get_object(Bucket="papers", Key="letters/ä note")["Body"].read() == b"two"
    assert typed("ls", "papers", "--json") == [{"prefix": "letters/"}]
    (listed,) = typed("ls", "papers/letters/", "--json")
    assert (listed["key"], listed["size"]) == ("letters/ä note", 3)
    typed("rm", "papers/letters/ä note")
    deleted, two, one = typed("versions", "papers/letters/ä note", "--json")

    assert (deleted["deleted"], two["deleted"], one["size"]) == (True, False, 3)
    assert one["provenance"]["source"] == str(note_)
    assert deleted["modified"].startswith("20")
    typed("restore", "papers/letters/ä note", one["version"])
    typed("get", "papers/letters/ä note", str(tmp_path / "back"))
    typed("cp", "papers/letters/ä note", "papers/copied")
    assert (tmp_path / "back").read_text() == "one"
    typed("get", "papers/letters/ä note", str(tmp_path / "two"), "--version", two["version"])
    assert (tmp_path / "two").read_text() == "two"
    (used,) = typed("du", "papers", "--json")
    assert (used["objects"], used["bytes"], used["versions"]) == (2, 6, 5)
    typed("import", str(tmp_path), "papers/imported/")
    assert len(typed("ls", "papers/imported/", "--json")) == 3


def test_conditions_are_kept_there(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    typed("put", str(tmp_path / "a"), "company/new", "--new")

    with pytest.raises(ConditionError):
        typed("put", str(tmp_path / "a"), "company/new", "--new")


def test_what_a_url_has_goes_there_and_is_asked_for_again(typed: Typed, s3: S3) -> None:
    with feeding() as feed:
        feed.files["/a.csv"] = ('"one"', b"1;2")
        first = typed("fetch", f"{feed.url}/a.csv", "company/", "--json")
        again = typed("fetch", f"{feed.url}/a.csv", "company/", "--json")

    assert (first["unchanged"], again["unchanged"]) == (False, True)
    assert s3.get_object(Bucket="company", Key="a.csv")["Body"].read() == b"1;2"


def test_a_large_file_comes_back(typed: Typed, tmp_path: Path) -> None:
    file = tmp_path / "large"
    file.write_bytes(b"0123456789abcdef" * (3 << 16))
    typed("put", str(file), "company/large")
    typed("get", "company/large", str(tmp_path / "back"))

    assert (tmp_path / "back").read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    "words",
    [
        ("lock", "company/a"),
        ("search", "company", "a"),
        ("scrub",),
        ("mirror", "/tmp/x"),
        ("limit", "company", "--quota", "1GB"),
        ("rebuild",),
        ("key", "create", "ann"),
    ],
)
def test_what_s3_has_not_is_refused_by_name(typed: Typed, words: tuple[str, ...]) -> None:
    with pytest.raises(DayflyError, match="s3://company"):
        typed(*words)


@pytest.mark.parametrize(
    ("winners", "why"),
    [((1, 1), ""), ((1, 8), "8 of 8 writers won one condition"), ((0, 1), "0 of 8 writers won")],
)
def test_what_a_race_says_of_another_s3(winners: tuple[int, ...], why: str) -> None:
    found = verdict(winners)

    assert (found.exclusive, found.why.startswith(why)) == (not why, True)


def test_one_that_keeps_no_conditions_gets_none(home: Home, other: Archive, tmp_path: Path) -> None:
    there = elsewhere.elsewhere_of(home, settings_of(home))
    assert there is not None
    remote = elsewhere.opened(home, there)
    remote.mount = Mount(exclusive=False, why="8 of 8 writers won one condition")
    with remote.stage("company") as staged, pytest.raises(NotKeptError, match="8 of 8"):
        remote.put(staged, "a", condition=Condition(if_none_match=(ANY,)))
    remote.close()


def test_wrong_keys_are_told(home: Home, tmp_path: Path) -> None:
    Secrets(home.secrets).set("dayfly", "FILES_SECRET_ACCESS_KEY", "wrong")
    there = elsewhere.elsewhere_of(home, settings_of(home))
    Secrets(home.secrets).set("dayfly", "FILES_SECRET_ACCESS_KEY", MAIN.secret)
    assert there is not None

    with pytest.raises(DayflyError, match=r"403|SignatureDoesNotMatch") as told:
        elsewhere.race(home, there)
    assert "[files.s3]" in told.value.hint


def test_an_outage_there_is_a_note(home: Home, tmp_path: Path) -> None:
    settings = load_environment(
        '[files]\nstore = "s3://company"\ns3.endpoint = "http://127.0.0.1:1"'
    )
    said: list[str] = []
    elsewhere.ask(home, settings, said.append)

    (note_,) = said
    assert "Could not connect" in note_
    assert "[files.s3]" in note_
    assert not elsewhere.answers(elsewhere.elsewhere_of(home, settings))  # type: ignore[arg-type]
