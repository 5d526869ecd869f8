"""Buckets, what is in a folder, and what was deleted there, as the rows of a page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dayfly.console.files.places import Folder, Thing, seen
from dayfly.files.objects import Asked, Bucket, Lease, Usage, Versioning
from dayfly.files.repository import Repository
from dayfly.shown import amount

PAGE = 200  # keys
LOOKED_AT = 5_000  # versions that one page of deleted objects may look at
MOST_TRASHED, MOST_BEGUN = 200, 50
DAY = 86_400
_WORDS = {
    Versioning.NEVER: "keeps no versions",
    Versioning.ENABLED: "keeps versions",
    Versioning.SUSPENDED: "keeps earlier versions, and makes no more",
}


@dataclass(frozen=True, kw_only=True)
class Held:
    """A bucket, what it holds, and what it may hold."""

    bucket: Bucket
    usage: Usage
    leases: Sequence[Lease]

    @property
    def keeps(self) -> str:
        """What becomes of what is replaced or deleted."""
        trash = self.bucket.trash_seconds
        kept = f", trash for {days(trash)}" if trash else ""
        return _WORDS[self.bucket.versioning] + kept

    @property
    def share(self) -> float | None:
        """Of the quota, in per cent; None where there is none."""
        return 100 * self.usage.all_bytes / self.bucket.quota if self.bucket.quota else None

    @property
    def quota(self) -> str:
        if self.share is None:
            return "no quota"
        return f"{self.share:.0f} % of {amount(self.bucket.quota)}"

    def lease(self, key: str) -> Lease | None:
        return next((each for each in self.leases if each.key == key), None)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A folder or an object; `after` is empty for a folder."""

    name: str
    address: str
    folder: bool = False
    size: int = 0
    modified: int = 0
    lease: Lease | None = None


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One page of a folder; `next` is the address of what follows."""

    rows: Sequence[Row]
    next: str


def held(repository: Repository, name: str) -> Held:
    return Held(
        bucket=repository.bucket(name),
        usage=repository.usage(name),
        leases=repository.leases.running(name),
    )


def buckets(repository: Repository) -> list[Held]:
    return [held(repository, each.name) for each in repository.buckets()]


def shown(repository: Repository, folder: Folder, leases: Sequence[Lease]) -> Shown:
    asked = Asked(prefix=folder.prefix, delimiter="/", after=folder.after, limit=PAGE)
    page = repository.list(folder.bucket, asked)
    cut = len(folder.prefix) - len(folder.begins)
    by_key = {each.key: each for each in leases}
    rows = [
        *(
            Row(
                name=f"{seen(prefix[cut:-1])}/",
                address=Folder(bucket=folder.bucket, prefix=prefix).address(),
                folder=True,
            )
            for prefix in page.prefixes
        ),
        *(
            Row(
                name=seen(entry.key[cut:]) if entry.key[cut:] else "(this folder itself)",
                address=Thing(bucket=folder.bucket, key=entry.key).address(),
                size=entry.size,
                modified=entry.modified,
                lease=by_key.get(entry.key),
            )
            for entry in page.entries
        ),
    ]
    return Shown(rows=rows, next=replace(folder, after=page.next).address() if page.next else "")


@dataclass(frozen=True, kw_only=True)
class Gone:
    """An object that is not there any more, and where it can be brought back."""

    name: str
    address: str
    since: int


def deleted(repository: Repository, folder: Folder) -> tuple[list[Gone], str]:
    """Those that a delete marker hides, and the address of what follows."""
    found: list[Gone] = []
    asked = Asked(prefix=folder.prefix, after=folder.after)
    looked = 0
    while len(found) < PAGE and looked < LOOKED_AT:
        page = repository.list_versions(folder.bucket, asked)
        looked += len(page.entries)
        found += (
            Gone(
                name=seen(each.key),
                address=Thing(bucket=folder.bucket, key=each.key).address(),
                since=each.modified,
            )
            for each in page.entries
            if each.latest and each.marker
        )
        if not page.next:
            return found, ""
        asked = replace(asked, after=page.next, after_id=page.next_id)
    return found, replace(folder, after=asked.after).address("deleted")


def trashed(repository: Repository, folder: Folder) -> Iterator[Gone]:
    """What was deleted or replaced for good below a folder, and is still in the trash."""
    found = (
        each
        for each in repository.care.trash(folder.bucket)
        if each.version.key.startswith(folder.prefix) and not each.version.marker
    )
    for each, _ in zip(found, range(MOST_TRASHED), strict=False):
        thing = Thing(bucket=folder.bucket, key=each.version.key)
        yield Gone(
            name=seen(each.version.key),
            address=thing.address("restore", trashed=each.version.uid),
            since=each.since,
        )


@dataclass(frozen=True, kw_only=True)
class Begun:
    """An upload in parts that was not ended, as by a browser that was closed."""

    name: str
    since: int
    who: str
    discard: str


def unfinished(repository: Repository, folder: Folder) -> list[Begun]:
    asked = Asked(prefix=folder.prefix, limit=MOST_BEGUN)
    return [
        Begun(
            name=seen(each.key),
            since=each.begun,
            who=each.description.provenance.who,
            discard=Thing(bucket=folder.bucket, key=each.key).address("discard", upload=each.id),
        )
        for each in repository.list_uploads(folder.bucket, asked).uploads
    ]


def days(seconds: int) -> str:
    """`30 days`, `1 day`, `90 minutes`."""
    if seconds % DAY == 0:
        return f"{seconds // DAY} day{'s' if seconds != DAY else ''}"
    return f"{seconds // 3600} hours" if seconds % 3600 == 0 else f"{seconds // 60} minutes"
