"""The order of a directory of SQL migrations: by name, or as Flyway orders its own."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from dayfly.durable import translated
from dayfly.errors import DayflyError

_FLYWAY = re.compile(r"(?P<kind>[VR])(?P<version>[0-9][0-9._]*?)?__(?P<title>.+)\.sql")
_FLYWAY_UNDO = re.compile(r"U[0-9][0-9._]*__.+\.sql")
_WAY_BACK = re.compile(r"[._-](?:down|undo|rollback|revert)\.sql$")
_DIGITS = re.compile(r"\d+")
# Sections of other tools; run as they are, the way back would follow the way there.
_BOTH_WAYS = re.compile(
    r"^\s*--\s*(?P<mark>migrate:(?:up|down)|\+goose (?:Up|Down)|\+migrate (?:Up|Down))",
    re.MULTILINE | re.IGNORECASE,
)
_PSQL = re.compile(r"^\\(?!\.)(?P<command>[a-z]+)", re.MULTILINE)
_COPIES = re.compile(r"^\s*COPY\b[^;]*\bFROM\s+stdin\b", re.MULTILINE | re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\$\{[A-Za-z_][\w:.]*\}")


class SqlFileError(DayflyError):
    """A directory of SQL files cannot be run as it is; because of which file and statement."""

    migration, statement = "", ""


@dataclass(frozen=True, kw_only=True)
class SqlFile:
    """One migration; `version` is Flyway's, None for what is no Flyway name."""

    name: str
    text: str
    version: tuple[int, ...] | None = None
    repeatable: bool = False

    @property
    def sha256(self) -> str:
        return sha256(self.text.encode()).hexdigest()

    @property
    def checksum(self) -> int:
        """As Flyway computes it: over the lines without their ends."""
        text = self.text.removeprefix("\ufeff").replace("\r", "").replace("\n", "")
        value = zlib.crc32(text.encode())
        return value - 2**32 if value >= 2**31 else value


def sql_files(directory: Path) -> tuple[SqlFile, ...]:
    """The migrations in the order in which they run."""
    with translated(directory):
        names = sorted(path.name for path in directory.iterdir() if path.suffix.lower() == ".sql")
    _refuse_spelled(names)
    chosen = [
        name
        for name in names
        if not name.endswith(".down.sql") and not _FLYWAY_UNDO.fullmatch(name)
    ]
    _refuse_ways_back(chosen)
    if not chosen:
        raise SqlFileError(
            f"{directory}: no SQL files there",
            hint="migrations in dayfly.toml names the directory that holds them: 001_orders.sql …",
        )
    files = [_read(directory / name) for name in chosen]
    _refuse_twice(files)
    if is_flyway(files):
        _refuse_strangers(directory, files)
    return tuple(sorted(files, key=_order))


def is_flyway(files: Sequence[SqlFile]) -> bool:
    return any(file.version is not None or file.repeatable for file in files)


def version_of(text: str) -> tuple[int, ...]:
    """Flyway's: 1, 1.1, 1_1_0; zeros at the end do not count."""
    parts = [int(part) for part in _DIGITS.findall(text)]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def _read(path: Path) -> SqlFile:
    with translated(path):
        data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise SqlFileError(
            f"{path.name} is not UTF-8 (byte {error.start})", hint="Save it as UTF-8."
        ) from error
    flyway = _FLYWAY.fullmatch(path.name)
    if flyway and (flyway["version"] is None) != (flyway["kind"] == "R"):
        flyway = None
    _refuse_foreign(path.name, text, flyway=flyway is not None)
    if flyway is None:
        return SqlFile(name=path.name, text=text)
    repeatable = flyway["kind"] == "R"
    version = None if repeatable else version_of(flyway["version"])
    return SqlFile(name=path.name, text=text, version=version, repeatable=repeatable)


def _order(file: SqlFile) -> tuple[int, tuple[int, ...], str]:
    """Numbers as numbers: 2 before 10; what may run again runs last."""
    if file.version is not None:
        return (0, file.version, file.name)
    if file.repeatable:
        return (2, (), file.name)
    number = _DIGITS.match(file.name)
    return (0, (int(number.group()),), file.name) if number else (1, (), file.name)


def _refuse_spelled(names: Sequence[str]) -> None:
    for name in names:
        if not name.endswith(".sql"):
            raise SqlFileError(
                f"{name} does not end in .sql",
                hint="What is called otherwise is not run: rename it, or take it out.",
            )


def _refuse_ways_back(names: Sequence[str]) -> None:
    """Run beside the way there they would undo it at once."""
    for name in names:
        way_there = _WAY_BACK.sub("", name)
        if way_there != name and any(
            other in {f"{way_there}.sql", f"{way_there}_up.sql"} for other in names
        ):
            raise SqlFileError(
                f"{name} looks like the way back of {way_there}.sql, and would run after it",
                hint=f"Call it {way_there}.down.sql, which is never run, or take it out.",
            )


def _refuse_twice(files: Sequence[SqlFile]) -> None:
    seen: dict[tuple[int, ...], str] = {}
    for file in files:
        if file.version is None:
            continue
        if file.version in seen:
            raise SqlFileError(
                f"{seen[file.version]} and {file.name} have the same version",
                hint="Give the newer one the next number.",
            )
        seen[file.version] = file.name


def _refuse_strangers(directory: Path, files: Sequence[SqlFile]) -> None:
    """Flyway's callbacks, what it finds in folders below, settings of one file: all its own."""
    plain = [file.name for file in files if file.version is None and not file.repeatable]
    below = [str(path.relative_to(directory)) for path in directory.glob("*/**/[VR]*__*.sql")]
    settings = [path.name for path in directory.glob("[VR]*__*.sql.conf")]
    for name in plain + below + settings:
        raise SqlFileError(
            f"{name} lies among files named for Flyway, and is not run in their order",
            hint='Let Flyway run them: migrate = "flyway migrate"; or put all of them, named '
            "V1__what.sql, into one folder.",
        )


def _refuse_foreign(name: str, text: str, *, flyway: bool) -> None:
    both = _BOTH_WAYS.search(text)
    if both:
        raise SqlFileError(
            f"{name} holds sections of another tool (-- {both['mark']})",
            hint='Let that tool run it: migrate = "COMMAND" instead of migrations = "DIR".',
        )
    psql = _PSQL.search(text)
    if psql:
        raise SqlFileError(
            f"{name} holds a command of psql (\\{psql['command']}), which is no SQL",
            hint='Write it as SQL, or run psql yourself: migrate = "psql $DATABASE_URL …".',
        )
    if _COPIES.search(text):
        raise SqlFileError(
            f"{name} holds rows for COPY … FROM stdin, which only psql can feed",
            hint="Write them as INSERT (pg_dump --inserts does), or run psql yourself: "
            'migrate = "psql $DATABASE_URL …".',
        )
    placeholder = _PLACEHOLDER.search(text) if flyway else None
    if placeholder:
        raise SqlFileError(
            f"{name} has the placeholder {placeholder.group()}, which only Flyway can fill",
            hint='Let Flyway run it: migrate = "flyway migrate".',
        )
