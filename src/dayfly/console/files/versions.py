"""An object as a page: what is known of it, its versions, and the way back to each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dayfly.console.files.listing import days
from dayfly.console.files.places import Thing, seen
from dayfly.console.files.searching import origin
from dayfly.files.errors import NoSuchKeyError, NoSuchVersionError
from dayfly.files.objects import Asked, Bucket, Version, Versioning
from dayfly.files.repository import Repository

MOST = 100  # versions on one page
NONE = ""  # stands for an object that is not there now


@dataclass(frozen=True, kw_only=True)
class State:
    """A line of the versions of an object; `restore` is the address that brings it back."""

    thing: Thing
    latest: bool
    deletion: bool
    size: int
    modified: int
    origin: str
    restored_from: str
    restore: str


@dataclass(frozen=True, kw_only=True)
class States:
    rows: Sequence[State]
    next: str  # the address of older ones


def states(repository: Repository, thing: Thing, older: str) -> States:
    """From the newest on, or those older than an id."""
    asked = Asked(prefix=thing.key, after=thing.key if older else "", after_id=older, limit=MOST)
    page = repository.list_versions(thing.bucket, asked)
    entries = [each for each in page.entries if each.key == thing.key]
    rows = []
    for entry in entries:
        version = repository.head(thing.bucket, thing.key, entry.id)
        rows.append(_state(version, latest=entry.latest))
    more = page.next == thing.key and page.next_id
    plain = replace(thing, version="")
    return States(rows=rows, next=plain.address(older=page.next_id) if more else "")


def _state(version: Version, *, latest: bool) -> State:
    thing = Thing(bucket=version.bucket, key=version.key, version=version.id)
    current = latest and not version.marker
    return State(
        thing=thing,
        latest=latest,
        deletion=version.marker,
        size=version.size,
        modified=version.modified,
        origin=origin(version),
        restored_from=version.description.restored_from,
        restore="" if current or version.marker else thing.address("restore"),
    )


def present(repository: Repository, thing: Thing) -> Version | None:
    """What is current now; None where nothing is."""
    try:
        return repository.head(thing.bucket, thing.key)
    except NoSuchKeyError:
        return None


def newest(repository: Repository, thing: Thing) -> Version | None:
    """The newest version that has bytes, whether it is current or a deletion hides it."""
    page = repository.list_versions(thing.bucket, Asked(prefix=thing.key, limit=MOST))
    for entry in page.entries:
        if entry.key == thing.key and not entry.marker:
            return repository.head(thing.bucket, thing.key, entry.id)
    return None


def facts(version: Version) -> Mapping[str, str]:
    """What is told of it, as far as there is something to tell."""
    told = version.description
    found = {
        "Type": told.headers.get("content-type", ""),
        "ETag": version.etag,
        "Owner": told.owner,
        "Put by": origin(version),
        "Version": version.id,
        "Restored from": told.restored_from,
        "File": version.path,
        "Held": "legal hold" if told.lock.hold else "",
        "Locked": told.lock.mode,
    }
    found |= {f"Tag {name}": text for name, text in told.tags.items()}
    found |= {f"Metadata {name}": text for name, text in told.metadata.items()}
    return {name: seen(text) for name, text in found.items() if text}


def consequence(bucket: Bucket, version: Version) -> str:
    """What it means that it is deleted, or that another one takes its place."""
    if bucket.versioning is Versioning.ENABLED or (
        bucket.versioning is Versioning.SUSPENDED and not version.null
    ):
        return "The bucket keeps versions: what was there can be restored."
    if bucket.trash_seconds:
        kept = days(bucket.trash_seconds)
        return f"What was there goes into the trash, and can be restored for {kept}."
    return "The bucket keeps no versions and has no trash: what was there is gone for good."


def was(version: Version | None) -> str:
    """By which a change knows whether somebody else was faster."""
    return version.etag if version else NONE


def missing(thing: Thing) -> NoSuchVersionError:
    return NoSuchVersionError(f"{thing.bucket}/{seen(thing.key)}: there is nothing of it")
