import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psycopg
import pytest

import traffic
from dayfly.clock import wait_until
from dayfly.command import CommandError, Setting, output_of
from dayfly.config.load import load_app
from traffic import Plan, kinds
from ports import free_port

EXAMPLE = Path(__file__).parents[2] / "examples" / "orders"
Version = Callable[[str], Path]


def setting(folder: Path, database: str) -> Setting:
    more = {
        "DATABASE_URL": database,
        "SECRET_KEY": "only for tests",
        "DAYFLY_RELEASE": folder.parent.name,
    }
    return Setting(cwd=folder, env={**os.environ, **more})


@contextmanager
def serving(python: Path, folder: Path, database: str) -> Iterator[str]:
    """The pages of one version, as dayfly.toml starts them."""
    port = free_port()
    server = subprocess.Popen(
        [python.with_name("gunicorn"), "orders.web:app", "--bind", f"0.0.0.0:{port}"],
        cwd=folder,
        env=setting(folder, database).env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: healthy(port), seconds=20, what="the order desk")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(40)


def healthy(port: int) -> bool:
    try:
        with closing(HTTPConnection("127.0.0.1", port, timeout=2)) as connection:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False


def stored(database: str, run: str) -> set[str]:
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT reference FROM orders WHERE starts_with(reference, %s)", (f"{run}-",)
        )
        return {row[0] for row in rows}


def test_the_history_is_the_same_wherever_it_is_made(history: Path, tmp_path: Path) -> None:
    again = tmp_path / "with a space" / "orders"

    output_of([str(EXAMPLE / "history"), str(again)])

    revisions = ["git", "rev-parse", "v1", "v2", "v3", "main", "broken"]
    assert output_of(revisions, setting=Setting(cwd=again)) == output_of(
        revisions, setting=Setting(cwd=history)
    )
    assert output_of(["git", "status", "--short"], setting=Setting(cwd=again)) == ""


def test_the_history_never_overwrites_a_folder(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        output_of([str(EXAMPLE / "history"), str(tmp_path)])

    assert "is there already" in caught.value.tail
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tag", ["v1", "v2", "v3"])
def test_dayfly_can_read_the_settings(version: Version, tag: str) -> None:
    settings = load_app((version(tag) / "dayfly.toml").read_text())

    assert settings.app == "orders"
    assert set(settings.process) == {"web", "worker"}
    assert settings.keep == ("uploads", "exports")


@pytest.mark.postgres
@pytest.mark.parametrize("tag", ["v1", "v2", "v3"])
def test_each_version_passes_its_own_tests(
    version: Version, python: Path, database: str, tag: str
) -> None:
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider"]

    assert " passed" in output_of(command, setting=setting(version(tag), database))


@pytest.mark.postgres
def test_the_second_version_migrates_while_the_first_one_takes_orders(
    version: Version, python: Path, database: str
) -> None:
    """Nothing fails on either side, and each confirmed order is a row."""
    migrate = [str(python), "-m", "orders.migrate"]
    load = kinds("get", "post", "keepalive", "idle", rate=60)
    output_of(migrate, setting=setting(version("v1"), database))

    with serving(python, version("v1"), database) as first:
        with traffic.steady(Plan(target=first, kinds=load, dialect="orders", seconds=30)) as before:
            wait_until(lambda: before.so_far().ok > 30, seconds=20, what="30 answers")
            output_of(migrate, setting=setting(version("v2"), database))
            migrated = before.so_far().ok
            wait_until(lambda: before.so_far().ok > migrated + 60, seconds=20, what="60 more")
            tally = before.stop()
        with serving(python, version("v2"), database) as second:
            after = traffic.run(Plan(target=second, kinds=load, dialect="orders", seconds=2))
            smoke = [str(python), "smoke.py", second]
            assert "version 2" in output_of(smoke, setting=setting(version("v2"), database))

    assert tally.failed == 0, tally.told()
    assert after.failed == 0, after.told()
    assert stored(database, tally.run) == set(tally.created)
    assert stored(database, after.run) == set(after.created)


@pytest.mark.postgres
def test_the_third_version_never_starts(version: Version, python: Path, database: str) -> None:
    command = [str(python.with_name("gunicorn")), "orders.web:app", "--bind", "127.0.0.1:0"]

    with pytest.raises(CommandError) as caught:
        output_of(command, setting=setting(version("v3"), database))

    assert "No module named 'prometheus_client'" in caught.value.tail
