import os
from pathlib import Path

import pytest

from dayfly.config.home import Home, create, default_home, environment_id, token
from dayfly.durable import FileError


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    create(home)
    return home


def test_a_home_is_made_with_safe_modes(home: Home) -> None:
    passable = 0o711 if os.geteuid() == 0 else 0o700

    assert mode(home.path) == passable
    assert mode(home.images) == passable
    assert mode(home.secrets) == 0o700
    assert mode(home.tls) == 0o700
    assert mode(home.token_file) == 0o600


def test_id_and_token_are_made_once(home: Home) -> None:
    before = environment_id(home), token(home)

    create(home)

    assert (environment_id(home), token(home)) == before
    assert len(before[0]) == 8
    assert len(before[1]) >= 43


def test_a_second_create_closes_what_was_opened(home: Home) -> None:
    home.secrets.chmod(0o755)

    create(home)

    assert mode(home.secrets) == 0o700


def test_a_home_that_was_never_made_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file") as caught:
        token(Home(tmp_path))

    assert "dayfly up" in caught.value.hint


def test_a_damaged_id_is_refused(home: Home) -> None:
    home.id_file.write_text("../../etc")

    with pytest.raises(FileError, match="damaged"):
        environment_id(home)


def test_a_home_in_a_forbidden_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(FileError, match="file"):
        create(Home(tmp_path / "file" / "home"))


def test_the_home_is_told_by_a_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """DAYFLY_HOME names the home, relative paths and ~ included; without it root has its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAYFLY_HOME", "here")
    assert default_home() == Home(tmp_path / "here")

    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("DAYFLY_HOME", "~/there")
    assert default_home() == Home(Path("/home/somebody/there"))

    monkeypatch.delenv("DAYFLY_HOME")
    own = "/var/lib/dayfly" if os.geteuid() == 0 else "/home/somebody/.local/share/dayfly"
    assert default_home() == Home(Path(own))


def test_where_things_lie() -> None:
    home = Home(Path("/h"))

    assert home.keep("orders", "uploads") == Path("/h/keep/orders/uploads")
    assert home.release(3) == Path("/h/releases/3")
    assert home.machine("orders-2-web-1") == Path("/h/machines/orders-2-web-1")
