"""A real PostgreSQL that is thrown away."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from dayfly.database.programs import DatabaseError, programs
from dayfly.database.scratch import ScratchServer, scratch_server
from workshop import open_folder

pytestmark = pytest.mark.postgres

CRASHING = """
import os, sys
from pathlib import Path
from dayfly.database.scratch import scratch_server
with scratch_server(Path(sys.argv[1]), None) as server:
    print(server.port, flush=True)
    os.kill(os.getpid(), 9)
"""


@pytest.fixture(scope="module")
def folder(postgresql: Path) -> Iterator[Path]:
    with open_folder() as made:
        yield made


@pytest.fixture(scope="module")
def server(folder: Path, postgresql: Path) -> Iterator[ScratchServer]:
    with scratch_server(folder, postgresql) as running:
        yield running


def asked(url: str, question: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(question)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def test_each_database_is_fresh_and_goes_again(server: ScratchServer) -> None:
    with server.database() as first, server.database() as second:
        asked(first, "CREATE TABLE orders (number int)")
        assert asked(second, "SELECT to_regclass('orders')") is None
        with psycopg.connect(first) as left_open:
            left_open.execute("SELECT 1")
            names = asked(second, "SELECT count(*) FROM pg_database WHERE datname ~ '^scratch_'")
            assert names == 2
    with server.database() as third:
        assert asked(third, "SELECT count(*) FROM pg_database WHERE datname ~ '^scratch_'") == 1


def test_a_test_suite_may_make_databases_and_extensions_of_its_own(server: ScratchServer) -> None:
    with server.database() as url:
        asked(url, "CREATE DATABASE test_orders")
        asked(url, "DROP DATABASE test_orders")
        asked(url, "CREATE EXTENSION IF NOT EXISTS plpgsql")
        assert asked(url, "SHOW server_encoding") == "UTF8"


def test_a_test_suite_cannot_reach_the_machines_files(server: ScratchServer) -> None:
    with server.database() as url, pytest.raises(psycopg.errors.InsufficientPrivilege):
        asked(url, "COPY (SELECT 1) TO PROGRAM 'id'")


def test_nobody_enters_without_the_password(server: ScratchServer) -> None:
    with server.database() as url:
        stranger = url.replace(server.app_password, "guessed")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(stranger)


def test_two_servers_live_side_by_side_and_leave_nothing(
    server: ScratchServer, folder: Path
) -> None:
    with scratch_server(folder, None) as other, other.database() as url:
        assert other.port != server.port
        assert asked(url, "SELECT 1") == 1
        assert len(list(folder.glob("server-*/"))) == 2
    assert len(list(folder.glob("server-*/"))) == 1
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_the_template_is_made_once(server: ScratchServer, folder: Path) -> None:
    def templates() -> list[tuple[str, int]]:
        return [(path.name, path.stat().st_ino) for path in sorted(folder.glob("template*"))]

    before = templates()
    with scratch_server(folder, None) as other, other.database():
        assert templates() == before != []


def test_what_a_crash_left_is_cleaned_at_the_next_start(
    server: ScratchServer, folder: Path
) -> None:
    crashed = subprocess.run(
        [sys.executable, "-c", CRASHING, str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert crashed.returncode == -signal.SIGKILL, crashed.stderr
    before = set(folder.glob("server-*/"))
    assert len(before) == 2
    left = next(
        int((place / "data/postmaster.pid").read_text().split()[0])
        for place in before
        if (place / "data/postmaster.pid").read_text().split()[3] == crashed.stdout.strip()
    )
    os.kill(left, 0)
    with scratch_server(folder, None):
        assert len(set(folder.glob("server-*/")) & before) == 1
        assert not Path(f"/proc/{left}").exists()
    with server.database() as url:
        assert asked(url, "SELECT 1") == 1, "the one in use was left alone"


def test_the_programs_are_where_the_operator_says(tmp_path: Path) -> None:
    assert programs(str(programs(None))) == programs(None)
    with pytest.raises(DatabaseError, match="no initdb, postgres, pg_dump there") as caught:
        programs(str(tmp_path))
    assert "apt install postgresql" in caught.value.hint


def test_a_folder_that_postgresqls_user_may_not_enter_is_named(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("as a plain user the server is ours")
    hidden = tmp_path / "hidden"
    hidden.mkdir(0o700)
    with pytest.raises(DatabaseError, match="may not enter"), scratch_server(hidden / "x", None):
        pass
