"""What is in the archive: lists, versions, a search, and what it takes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from dayfly.cli.archive.place import instant, named, object_named, row
from dayfly.cli.output import clean, paint, table
from dayfly.cli.show import short
from dayfly.files.objects import Asked, Entry, Page
from dayfly.files.repository import Repository
from dayfly.files.search import Wanted
from dayfly.files.store import Store
from dayfly.shown import amount

Rows = list[dict[str, Any]]


def buckets(repository: Store) -> Rows:
    return [_bucket_row(repository, each.name) for each in repository.buckets()]


def usage(repository: Store, name: str | None) -> Rows:
    return buckets(repository) if name is None else [_bucket_row(repository, named(name).bucket)]


def _bucket_row(repository: Store, name: str) -> dict[str, Any]:
    bucket, used = repository.bucket(name), repository.usage(name)
    return {
        "bucket": name,
        "owner": bucket.owner,
        "versioning": str(bucket.versioning) or "never",
        "objects": used.objects,
        "bytes": used.bytes,
        "versions": used.versions,
        "all_bytes": used.all_bytes,
    }


def listed(repository: Store, place: str, *, recursive: bool) -> Iterator[dict[str, Any]]:
    """Keys, and without `recursive` the prefixes that go on behind a slash."""
    found = named(place)
    asked = Asked(prefix=found.key, delimiter="" if recursive else "/")
    for page in _pages(lambda it: repository.list(found.bucket, it), asked):
        yield from ({"prefix": prefix} for prefix in page.prefixes)
        yield from (
            {
                "key": entry.key,
                "size": entry.size,
                "etag": entry.etag,
                "modified": instant(entry.modified),
            }
            for entry in page.entries
        )


def keys(repository: Store, bucket: str, prefix: str) -> Iterator[Entry]:
    for page in _pages(lambda it: repository.list(bucket, it), Asked(prefix=prefix)):
        yield from page.entries


def versions(repository: Store, place: str) -> Rows:
    """All states of one object, newest first, with what is known of each."""
    wanted = object_named(place)
    asked = Asked(prefix=wanted.key)
    found: Rows = []
    for page in _pages(lambda it: repository.list_versions(wanted.bucket, it), asked):
        for entry in page.entries:
            if entry.key != wanted.key:
                return found
            version = repository.head(wanted.bucket, wanted.key, entry.id)
            about = {"modified": instant(entry.modified), "latest": entry.latest}
            found.append({**row(version), **about})
    return found


def found(repository: Repository, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """The newest first."""
    repository.bucket(wanted.bucket)  # a mistyped one is told
    yield from map(row, repository.search(wanted))


def _pages(fetch: Callable[[Asked], Page], asked: Asked) -> Iterator[Page]:
    while True:
        page = fetch(asked)
        yield page
        if not page.next:
            return
        asked = replace(asked, after=page.next, after_id=page.next_id)


# -- for a person


def usage_lines(rows: Rows) -> list[str]:
    if not rows:
        return ["There is no bucket yet."]
    cells = [
        (
            clean(each["bucket"]),
            clean(each["owner"]),
            f"{each['objects']:,}",
            amount(each["bytes"]),
            f"{each['versions']:,}",
            amount(each["all_bytes"]),
        )
        for each in rows
    ]
    return table(cells, head=("bucket", "owner", "objects", "size", "versions", "with versions"))


def list_line(each: dict[str, Any]) -> str:
    if "prefix" in each:
        return f"{'':>20}  {'':>9}  {paint('accent', clean(each['prefix']))}"
    return f"{each['modified']}  {amount(each['size']):>9}  {clean(each['key'])}"


def version_lines(rows: Rows) -> list[str]:
    cells = [
        (
            each["version"],
            each["modified"],
            "deleted" if each["deleted"] else amount(each["size"]),
            clean(origin(each["provenance"])),
            "current" if each["latest"] else "",
        )
        for each in rows
    ]
    return table(cells, head=("version", "put", "size", "from", "")) if cells else []


def origin(provenance: dict[str, str]) -> str:
    words = (
        provenance.get("who", ""),
        f"release {provenance['release']}" if provenance.get("release") else "",
        short(provenance.get("commit", "")),
        provenance.get("machine", ""),
        provenance.get("job", ""),
        provenance.get("source", ""),
    )
    return " ".join(filter(None, words))
