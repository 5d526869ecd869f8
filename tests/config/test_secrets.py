import json
import threading
from pathlib import Path

import pytest

from dayfly.config.secrets import SecretError, Secrets


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    return Secrets(tmp_path)


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        "two\nlines\n",
        "\"quotes\" 'and' $HOME `x` \\",
        "Grüße 🦟",
        "a" * 65536,
        "\r\t ",
    ],
)
def test_a_value_comes_back_as_it_was(secrets: Secrets, value: str) -> None:
    secrets.set("orders", "SECRET_KEY", value)

    assert secrets.read("orders") == {"SECRET_KEY": value}


def test_a_file_is_ours_alone(secrets: Secrets, tmp_path: Path) -> None:
    secrets.set("orders", "SECRET_KEY", "value")

    assert (tmp_path / "orders.json").stat().st_mode & 0o777 == 0o600


def test_apps_do_not_share_secrets(secrets: Secrets) -> None:
    secrets.set("orders", "B", "1")
    secrets.set("orders", "A", "2")

    assert secrets.names("orders") == ("A", "B")
    assert secrets.names("other") == ()


def test_remove(secrets: Secrets) -> None:
    secrets.set("orders", "SECRET_KEY", "value")

    with pytest.raises(SecretError, match="no secret SECRET_KEE") as caught:
        secrets.remove("orders", "SECRET_KEE")
    assert "SECRET_KEY" in caught.value.hint
    secrets.remove("orders", "SECRET_KEY")
    assert secrets.names("orders") == ()


@pytest.mark.parametrize("name", ["", "lower", "1A", "A-B", "A B", "A\n", "PORT", "DAYFLY_TOKEN"])
def test_names_that_are_refused(secrets: Secrets, name: str) -> None:
    with pytest.raises(SecretError):
        secrets.set("orders", name, "value")


@pytest.mark.parametrize("value", ["a\0b", "a" * 65537, "ü" * 32769, "\ud800"])
def test_values_that_are_refused_are_not_repeated(secrets: Secrets, value: str) -> None:
    with pytest.raises(SecretError) as caught:
        secrets.set("orders", "SECRET_KEY", value)
    assert value not in caught.value.message


def test_an_empty_value_is_no_secret(secrets: Secrets) -> None:
    """It is what comes in when the program that should tell it failed."""
    with pytest.raises(SecretError, match="SECRET_KEY: the value is empty"):
        secrets.set("orders", "SECRET_KEY", "")
    assert secrets.names("orders") == ()


@pytest.mark.parametrize("app", ["../orders", "", "/etc/passwd", "Orders", ".lock"])
def test_an_app_is_no_path(secrets: Secrets, app: str) -> None:
    with pytest.raises(SecretError):
        secrets.set(app, "SECRET_KEY", "value")
    with pytest.raises(SecretError):
        secrets.read(app)


def test_writers_at_the_same_time_lose_nothing(secrets: Secrets) -> None:
    writers = [
        threading.Thread(target=secrets.set, args=("orders", f"KEY_{n}", str(n))) for n in range(20)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert len(secrets.names("orders")) == 20


def test_a_release_gets_what_it_names(secrets: Secrets) -> None:
    """Only the secrets that dayfly.toml names are handed on; those without a value are told."""
    secrets.set("orders", "A", "1")
    secrets.set("orders", "B", "2")

    assert secrets.wanted("orders", ["A"]) == {"A": "1"}
    with pytest.raises(SecretError, match="C, D") as caught:
        secrets.wanted("orders", ["A", "C", "D"])
    assert caught.value.hint == "dayfly secret set C\ndayfly secret set D"


def test_a_secret_that_is_named_almost_right_is_suggested(secrets: Secrets) -> None:
    secrets.set("orders", "DATABASE_URL", "postgresql://…")

    with pytest.raises(SecretError) as caught:
        secrets.wanted("orders", ["DATABSE_URL"])
    assert "did you mean that one?" in caught.value.hint
    assert "DATABASE_URL" in caught.value.hint


def test_a_damaged_file_is_named(secrets: Secrets, tmp_path: Path) -> None:
    (tmp_path / "orders.json").write_text(json.dumps({"A": "top secret"})[:-5])

    with pytest.raises(SecretError, match=r"orders\.json: damaged") as caught:
        secrets.read("orders")
    assert "top secret" not in str(caught.value)
