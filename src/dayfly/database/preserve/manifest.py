"""What lies in a folder of preserved data, and whether it is still what was written."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from dayfly import typed
from dayfly.durable import translated, write_atomically
from dayfly.errors import DayflyError

FORMAT = 1
MANIFEST, AFTER = "manifest.json", "after.json"
CATALOGUE, DETAILS, SCHEMA = "catalogue.json", "details.json", "schema.sql"
_PIECE = 1 << 20
T = TypeVar("T")


class PreservedError(DayflyError):
    """Preserved data is missing, damaged, or cannot be put back."""


@dataclass(frozen=True, kw_only=True)
class File:
    name: str
    bytes: int
    sha256: str
    rows: int = 0


@dataclass(frozen=True, kw_only=True)
class Field:
    name: str
    type: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of one table: `key` finds a row again, `lost` is what it gets back."""

    schema: str
    table: str
    oid: int
    columns: tuple[Field, ...]  # in the order of the file
    key: tuple[str, ...]
    lost: tuple[str, ...]
    file: File
    whole: bool  # a row that is gone is made again
    counted: bool  # without a key: rows that are alike are counted, in one more column
    book: bool = False  # of a migration tool: replaced as a whole

    @property
    def shown(self) -> str:
        return self.table if self.schema == "public" else f"{self.schema}.{self.table}"

    def places(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """Where these columns stand in the file."""
        there = [column.name for column in self.columns]
        return tuple(there.index(name) for name in names)


@dataclass(frozen=True, kw_only=True)
class Sequence:
    schema: str
    name: str
    last: int


@dataclass(frozen=True, kw_only=True)
class About:
    """Which release it was for."""

    app: str = ""
    release: int = 0
    commit: str = ""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Written last: a folder without it holds nothing that counts."""

    format: int
    database: str
    about: About
    time: str
    catalogue: File
    schema: File
    tables: tuple[Table, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    details: File | None = None  # None: of a Dayfly that did not look at them

    @property
    def rows(self) -> int:
        return sum(table.file.rows for table in self.data)

    @property
    def bytes(self) -> int:
        return sum(table.file.bytes for table in self.data)

    @property
    def data(self) -> tuple[Table, ...]:
        """Without the books of migration tools."""
        return tuple(table for table in self.tables if not table.book)


@dataclass(frozen=True, kw_only=True)
class Made:
    """What the migration made of the columns of one table that it left standing."""

    oid: int
    standing: tuple[str, ...]
    file: File | None = None  # None: it left none of them


@dataclass(frozen=True, kw_only=True)
class After:
    format: int
    tables: tuple[Made, ...] = ()

    def of(self, table: Table) -> Made | None:
        return next((made for made in self.tables if made.oid == table.oid), None)


def manifest_of(folder: Path) -> Manifest:
    """PreservedError where it is missing or cannot be read."""
    path = folder / MANIFEST
    if not path.is_file():
        raise PreservedError(
            f"{path} is missing: nothing was preserved there as a whole",
            hint="It is written last, so the export was interrupted, or the file was taken away.",
        )
    return _read(path, Manifest)


def after_of(folder: Path) -> After | None:
    path = folder / AFTER
    return _read(path, After) if path.is_file() else None


def _read(path: Path, kind: type[T]) -> T:
    try:
        with translated(path):
            found = typed.plain(path.read_bytes())
        if isinstance(found, dict) and found.get("format") != FORMAT:
            raise PreservedError(
                f"{path} has format {found.get('format')!r}; this Dayfly reads {FORMAT}"
            )
        return typed.converted(found, kind)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise PreservedError(f"{path} is damaged: {error}") from error


def keep(path: Path, value: Manifest | After) -> None:
    write_atomically(path, msgspec.json.format(msgspec.json.encode(value)))


def verify(folder: Path) -> Manifest:
    """The manifest, once every file that it names was read whole; damage is told by name."""
    for file in (*described_of(folder), *values_of(folder)):
        _check(folder / file.name, file)
    return manifest_of(folder)


def described_of(folder: Path) -> list[File]:
    """What says how the schema was; small, whatever the database holds."""
    manifest = manifest_of(folder)
    details = [manifest.details] if manifest.details else []
    return [manifest.catalogue, manifest.schema, *details]


def values_of(folder: Path) -> list[File]:
    """Of tables: their rows, and what the migration made of them."""
    after = after_of(folder)
    made = [one.file for one in (after.tables if after else ()) if one.file]
    return [*(table.file for table in manifest_of(folder).tables), *made]


def _check(path: Path, file: File) -> None:
    if not path.is_file():
        raise PreservedError(f"{path} is missing; its sum was {file.sha256}")
    found = hashlib.sha256()
    with translated(path), path.open("rb") as opened:
        while piece := opened.read(_PIECE):
            found.update(piece)
    if found.hexdigest() != file.sha256:
        raise PreservedError(
            f"{path.resolve()} is damaged: its SHA-256 is {found.hexdigest()}, "
            f"expected {file.sha256}",
            hint="Restore this file from a backup, or from a mirror of the archive.",
        )


@contextmanager
def whole_or_nothing(folder: Path) -> Iterator[None]:
    """What a failed body wrote goes again, so that a full disk is not left full."""
    try:
        yield
    except BaseException:
        for path in folder.iterdir() if folder.is_dir() else ():
            path.unlink(missing_ok=True)
        raise
