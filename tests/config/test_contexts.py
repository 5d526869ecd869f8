from dataclasses import replace
from pathlib import Path

import pytest

from dayfly.config.contexts import Context, context, context_of, own_context, remember
from dayfly.config.home import Home, create, token
from dayfly.config.load import settings_of
from dayfly.config.problem import SettingsError
from dayfly.durable import FileError

STAGING = '[staging]\naddress = "https://staging.example.org:8443/"\ntoken = "t0ken"\n'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv("DAYFLY_CONTEXT", raising=False)
    home = Home(tmp_path / "home")
    create(home)
    return home


@pytest.fixture
def contexts(tmp_path: Path) -> Path:
    path = tmp_path / "contexts.toml"
    path.write_text(STAGING)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("0.0.0.0:9000", "http://127.0.0.1:9000"),
        ("[::]:9000", "http://[::1]:9000"),
        ("localhost:9000", "http://localhost:9000"),
    ],
)
def test_the_environment_of_this_home_is_the_default(
    home: Home, contexts: Path, listen: str, address: str
) -> None:
    home.environment_toml.write_text(f'name = "here"\n[api]\nlisten = "{listen}"\n')

    found = context_of(None, home, contexts)

    assert (found.name, found.address, found.token) == ("here", address, token(home))
    assert found.token not in repr(found)


def test_a_server_with_a_certificate_is_known_by_the_own_ca(home: Home) -> None:
    home.environment_toml.write_text('[api]\nlisten = "127.0.0.1:9000"\ntls = true\n')
    with pytest.raises(FileError, match=r"ca/ca\.pem"):
        own_context(home)
    home.ca.mkdir()
    (home.ca / "ca.pem").write_text("the certificate")

    assert own_context(home).address == "https://127.0.0.1:9000"
    assert own_context(home).ca == "the certificate"


def test_what_is_remembered_stands_beside_the_others(home: Home, contexts: Path) -> None:
    ca = "-----BEGIN CERTIFICATE-----\nMII\n"
    for token_ in ("first", "second"):
        known = Context(name="far", address="https://10.2.0.1:8081", token=token_, ca=ca)
        remember(known, contexts)

    assert context_of("far", home, contexts) == known
    assert context_of("staging", home, contexts).token == "t0ken"
    assert contexts.stat().st_mode & 0o777 == 0o600
    known = replace(known, ssh="deploy@far:22", ssh_config="/home/ana/config")
    remember(known, contexts.parent / "new/contexts.toml")
    assert context_of("far", home, contexts.parent / "new/contexts.toml") == known


def test_another_environment_is_named(
    home: Home, contexts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By -e, else by DAYFLY_CONTEXT; -e may also name the environment of this home."""
    by_name = context_of("staging", home, contexts)
    monkeypatch.setenv("DAYFLY_CONTEXT", "staging")

    assert by_name.address == "https://staging.example.org:8443"
    assert by_name == context_of(None, home, contexts)
    assert context_of("production", home, contexts).address == "http://127.0.0.1:8081"


def test_a_command_line_finds_home_and_contexts_by_itself(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DAYFLY_HOME", str(home.path))
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".config/dayfly"
    folder.mkdir(parents=True)
    (folder / "contexts.toml").touch(mode=0o600)
    (folder / "contexts.toml").write_text(STAGING)

    assert context(None).name == "production"
    assert context("staging").token == "t0ken"


def test_a_near_miss_is_suggested(home: Home, contexts: Path) -> None:
    with pytest.raises(SettingsError, match="stagin") as caught:
        context_of("stagin", home, contexts)

    assert caught.value.hint == "Did you mean staging?"


def test_the_environment_of_this_home_is_suggested_too(home: Home, contexts: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        context_of("productin", home, contexts)

    assert caught.value.hint == "Did you mean production?"


def test_a_file_of_tokens_that_others_may_read_is_refused(home: Home, contexts: Path) -> None:
    contexts.chmod(0o644)

    with pytest.raises(SettingsError, match="others may read it") as caught:
        context_of("staging", home, contexts)
    assert "chmod 600" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "[staging]\n",
        "staging = 3\n",
        '[staging]\naddress = "ftp://x"\ntoken = "t"\n',
        '[staging]\naddress = "http://x:99999"\ntoken = "t"\n',
        '[staging]\naddress = "http://x/path"\ntoken = "t"\n',
        '[staging]\naddress = "http://x"\ntoken = "t"\nuser = "me"\n',
        '[staging]\naddress = "http://x"\nssh = "x"\n',
        "[staging\n",
    ],
)
def test_contexts_that_are_refused(home: Home, contexts: Path, text: str) -> None:
    contexts.write_text(text)

    with pytest.raises(SettingsError, match=r"contexts\.toml"):
        context_of("staging", home, contexts)


def test_without_an_environment_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file") as caught:
        settings_of(Home(tmp_path))
    assert "dayfly up" in caught.value.hint
    with pytest.raises(FileError, match="No such file") as caught:
        context_of(None, Home(tmp_path), tmp_path / "contexts.toml")
    assert "dayfly up" in caught.value.hint


@pytest.mark.parametrize("text", ["[api]\nlisten = 5", "api = 5\n[x", "[api]\nlisten = 'x'"])
def test_an_environment_that_cannot_be_found_is_told(home: Home, contexts: Path, text: str) -> None:
    home.environment_toml.write_text(text)

    with pytest.raises(SettingsError, match=r"environment\.toml"):
        context_of(None, home, contexts)


def test_settings_that_are_no_text_are_refused(home: Home) -> None:
    home.environment_toml.write_bytes(b"\xff\xfe")

    with pytest.raises(SettingsError, match="not UTF-8"):
        settings_of(home)
