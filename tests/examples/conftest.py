"""The order desk as its team has it, a database cluster, and an environment to run it in."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from dayfly.clock import wait_until
from dayfly.command import output_of, which
from ports import free_port

EXAMPLE = Path(__file__).parents[2] / "examples" / "orders"
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def need(there: object, what: str) -> None:
    if there:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing")
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("history") / "orders"
    output_of([str(EXAMPLE / "history"), str(target)])
    return target


@pytest.fixture(scope="session")
def version(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`version("v1")` is a folder with that version."""
    made: dict[str, Path] = {}

    def of(tag: str) -> Path:
        if tag not in made:
            made[tag] = tmp_path_factory.mktemp(tag) / "app"
            output_of(["git", "clone", "-q", "--branch", tag, str(history), str(made[tag])])
        return made[tag]

    return of


@pytest.fixture(scope="session")
def python(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with what requirements.txt names."""
    folder = tmp_path_factory.mktemp("venv") / "venv"
    uv = str(Path(sys.executable).with_name("uv"))
    need(Path(uv).exists(), "uv")
    output_of([uv, "venv", "-q", "--python", sys.executable, str(folder)])
    install = [uv, "pip", "install", "-q", "--python", str(folder / "bin" / "python")]
    output_of([*install, "-r", str(history / "requirements.txt")], seconds=300)
    return folder / "bin" / "python"


def _accepts(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def database(cluster: str) -> str:
    """The URL of a database of one's own."""
    name = f"orders_{free_port()}"
    with psycopg.connect(f"{cluster}/postgres", autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    return f"{cluster}/{name}"


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """The URL of an empty PostgreSQL cluster, up to the database's name."""
    need(PROGRAMS or which("initdb"), "PostgreSQL")
    programs = PROGRAMS[-1] if PROGRAMS else Path(str(which("initdb"))).parent
    folder, port = Path("/tmp") / f"dayfly-cluster-{os.getpid()}", free_port()
    folder.mkdir(mode=0o700)
    user = None
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        user = "postgres" if "postgres" in {entry.pw_name for entry in pwd.getpwall()} else "nobody"
        shutil.chown(folder, user)
    data = str(folder / "data")
    initdb = [programs / "initdb", "-D", data, "-A", "trust", "-U", "orders", "-E", "UTF8", "-N"]
    subprocess.run(initdb, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    listen = ["-p", str(port), "-k", folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, *listen], user=user, cwd=folder, stderr=log
        )
    url = f"postgresql://orders@127.0.0.1:{port}"
    try:
        wait_until(lambda: _accepts(f"{url}/postgres"), seconds=20, what="PostgreSQL")
        yield url
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder)
