"""Which migration tool a source tree uses."""

import configparser
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dayfly.database.books import ALEMBIC, DJANGO, FLYWAY, OURS
from dayfly.errors import DayflyError

Kind = Literal["sql", "flyway", "alembic", "django", "unknown"]
_SKIPPED = frozenset({"node_modules", "venv", "site-packages", "__pycache__", "tests", "test"})
_DEPTH = 5  # src/main/resources/db/migration
_FLYWAY = re.compile(r"V[0-9][0-9._]*__.+\.sql")
_NUMBERED = re.compile(r"[0-9]+.*\.sql")


class ToolError(DayflyError):
    """The migrations of a source tree contradict each other."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A migration tool and where its migrations lie, seen from the top of the source tree."""

    kind: Kind
    place: Path = Path()
    command: str = ""  # what brings the database up to date; none for files that Dayfly runs
    books: str = ""  # its bookkeeping table


UNKNOWN = Tool(kind="unknown")


def tool_of(source: Path) -> Tool:
    """What the tree says; `unknown` where it says nothing."""
    folders = [source, *_folders(source, _DEPTH)]
    for look in (_django, _alembic, _flyway, _sql):
        for folder in folders:
            found = look(source, folder)
            if found:
                return found
    return UNKNOWN


def _django(source: Path, folder: Path) -> Tool | None:
    script = folder / "manage.py"
    if not script.is_file() or "DJANGO_SETTINGS_MODULE" not in script.read_text(errors="replace"):
        return None
    place = folder.relative_to(source)
    command = f"python {place / 'manage.py'} migrate --noinput"
    return Tool(kind="django", place=place, command=command, books=DJANGO)


def _alembic(source: Path, folder: Path) -> Tool | None:
    """`alembic.ini`, `[tool.alembic]`, or Flask-Migrate's folder, which holds both."""
    ini, project = folder / "alembic.ini", folder / "pyproject.toml"
    location = _in_ini(ini, folder) if ini.is_file() else None
    if location is None and project.is_file():
        location = _in_project(project)
    scripts = folder / location if location is not None else folder
    if not (scripts / "env.py").is_file() or not (scripts / "versions").is_dir():
        return None
    flask = ini.is_file() and scripts == folder
    command = "flask db upgrade" if flask else _upgrade(folder.relative_to(source))
    place = (scripts / "versions").resolve().relative_to(source.resolve())
    return Tool(kind="alembic", place=place, command=command, books=ALEMBIC)


def _in_ini(path: Path, folder: Path) -> str | None:
    ini = configparser.RawConfigParser(strict=False)
    try:
        ini.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise ToolError(f"{path.name} cannot be read: {error}") from error
    text = ini.get("alembic", "script_location", fallback=None)
    return text.replace("%(here)s", str(folder)) if text else None


def _in_project(path: Path) -> str | None:
    try:
        found = tomllib.loads(path.read_text()).get("tool", {}).get("alembic", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return None  # somebody else's matter
    location = found.get("script_location")
    return str(location).replace("%(here)s", str(path.parent)) if location else None


def _upgrade(folder: Path) -> str:
    return (
        "alembic upgrade head"
        if folder == Path()
        else f"alembic -c {folder}/alembic.ini upgrade head"
    )


def _flyway(source: Path, folder: Path) -> Tool | None:
    if not _holds(folder, _FLYWAY):
        return None
    return Tool(kind="flyway", place=folder.relative_to(source), books=FLYWAY)


def _sql(source: Path, folder: Path) -> Tool | None:
    if "migration" not in folder.name.lower() or not _holds(folder, _NUMBERED):
        return None
    return Tool(kind="sql", place=folder.relative_to(source), books=OURS)


def _holds(folder: Path, pattern: re.Pattern[str]) -> bool:
    return any(pattern.fullmatch(path.name) for path in folder.iterdir())


def _folders(folder: Path, depth: int) -> Iterator[Path]:
    """Nearer ones first; what is hidden or installed is passed over."""
    below = sorted(
        path
        for path in folder.iterdir()
        if path.is_dir() and not path.is_symlink() and not _skipped(path)
    )
    yield from below
    if depth > 1:
        for path in below:
            yield from _folders(path, depth - 1)


def _skipped(path: Path) -> bool:
    return path.name in _SKIPPED or path.name.startswith(".")
