"""Which archive a command acts on, and how objects are written on a command line."""

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dayfly.cli.session import Session
from dayfly.durable import translated
from dayfly.errors import DayflyError, UsageError
from dayfly.files.objects import Provenance, Version
from dayfly.files.repository import Repository
from dayfly.files.starting import ACCOUNTS
from dayfly.files.store import Store

INDEX = Path(".dayfly/index")  # below the tree, unless somebody says otherwise


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where an archive lies."""

    root: Path
    index: Path
    accounts: Path


@dataclass(frozen=True, kw_only=True)
class Named:
    """`BUCKET`, or `BUCKET/KEY`."""

    bucket: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.bucket}/{self.key}" if self.key else self.bucket


def place_of(session: Session, root: str | None, index: str | None) -> Place:
    """--root, else the archive of the environment in DAYFLY_HOME."""
    if session.environment:
        raise UsageError(
            "--environment: `dayfly files` acts on this host",
            hint="Type it on the host of that environment, or use its S3 endpoint.",
        )
    if root is None:
        if index is not None:
            raise UsageError("--index is of an archive that runs alone", hint="Name its --root.")
        from dayfly.environment import archive  # noqa: PLC0415 - the settings, where they count

        own = archive.place(session.home())
        return Place(root=own.root, index=own.index, accounts=own.accounts)
    folder = Path(root).absolute()
    return Place(
        root=folder,
        index=Path(index).absolute() if index else folder / INDEX,
        accounts=folder / ".dayfly" / ACCOUNTS,
    )


@contextmanager
def opened(session: Session, root: str | None, index: str | None) -> Iterator[Store]:
    """The archive, or the bucket of somebody else's S3 that the environment has instead."""
    if there := None if root else _elsewhere(session):
        yield there
        there.close()
    else:
        with opened_own(session, root, index) as repository:
            yield repository


def _elsewhere(session: Session) -> Store | None:
    from dayfly.environment import elsewhere  # noqa: PLC0415 - the settings, where they count
    from dayfly.environment.declared import settings_of  # noqa: PLC0415

    if session.environment:
        return None
    home = session.home()
    there = elsewhere.elsewhere_of(home, settings_of(home))
    return elsewhere.opened(home, there) if there else None


@contextmanager
def opened_own(session: Session, root: str | None, index: str | None) -> Iterator[Repository]:
    """The archive, beside the servers that have it open, or without any."""
    place = place_of(session, root, index)
    check_there(place)
    repository = Repository(place.root, place.index)
    try:
        yield repository
    finally:
        repository.close()


def check_there(place: Place) -> None:
    if not (place.root / ".dayfly").is_dir():
        raise DayflyError(
            f"{place.root}: there is no archive",
            hint="`dayfly up` makes that of an environment, `dayfly files serve DIR` one alone.",
        )


def named(text: str) -> Named:
    bucket, _, key = text.removeprefix("s3://").partition("/")
    if not bucket:
        raise UsageError(f"{text!r} names no bucket", hint="Write BUCKET, or BUCKET/KEY.")
    return Named(bucket=bucket, key=key)


def object_named(text: str) -> Named:
    found = named(text)
    if not found.key:
        raise UsageError(f"{text} names no object", hint="Write BUCKET/KEY.")
    return found


def target_named(text: str, name: str, *, nameless: str) -> Named:
    """A bucket alone, or what ends in a slash, is a folder: there it is called `name`."""
    found = named(text)
    if found.key and not found.key.endswith("/"):
        return found
    if not name:
        raise UsageError(nameless, hint="Write BUCKET/KEY.")
    return Named(bucket=found.bucket, key=f"{found.key}{name}")


def name_of(key: str) -> str:
    """What an object is called in its folder."""
    return Path(key.rstrip("/")).name


def by_hand(source: str = "") -> Provenance:
    """Of what a person does at this command line."""
    return Provenance(who=_user(), source=source)


def row(version: Version) -> dict[str, Any]:
    """One state of an object, as `--json` tells it."""
    told = version.description
    return {
        "bucket": version.bucket,
        "key": version.key,
        "version": version.id,
        "deleted": version.marker,
        "size": version.size,
        "etag": version.etag,
        "modified": instant(version.modified),
        "owner": told.owner,
        "metadata": dict(told.metadata),
        "tags": dict(told.tags),
        "provenance": {name: text for name, text in vars(told.provenance).items() if text},
        "restored_from": told.restored_from or None,
    }


def instant(nanoseconds: int) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415 - rarely

    moment = datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC)
    return moment.isoformat().replace("+00:00", "Z")


def file_at(path: Path) -> Path:
    with translated(path):
        if not path.exists():
            raise DayflyError(f"{path}: there is no such file")
    return path


def whoever() -> str:
    """Of a lease: this user in this shell, so that the same one can prolong it."""
    return f"{_user()}@{socket.gethostname()} {os.getppid()}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a uid without a name
        return str(os.getuid())
