"""Objects found by what is known about them: name, time, size, tags, metadata, origin."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dayfly import typed
from dayfly.files.catalogue import Catalogue
from dayfly.files.listing import successor
from dayfly.files.objects import Version

_version = typed.decoder(Version).decode
_CURRENT = """
select document from objects join versions using (bucket, key, uid)
where {where} order by versions.modified desc, bucket, key limit ?
"""
_ALL = "select document from versions where {where} order by modified desc, bucket, key limit ?"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """All of it has to hold. Times are nanoseconds, `until` is not part of the span.

    `name` is a piece of the key in whatever case of ASCII letters, or a pattern with `*` and `?`,
    which has to fit the whole key.
    """

    bucket: str = ""
    prefix: str = ""
    name: str = ""
    since: int | None = None
    until: int | None = None
    larger_than: int | None = None
    smaller_than: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, str] = field(default_factory=dict)  # who, release, machine, …
    versions: bool = False  # also older versions
    limit: int = 100


def search(catalogue: Catalogue, wanted: Wanted) -> list[Version]:
    """The newest first."""
    terms = list(_terms(wanted))
    where = " and ".join(["versions.marker = 0", *(term for term, _ in terms)])
    statement = (_ALL if wanted.versions else _CURRENT).format(where=where)
    values = [value for _, each in terms for value in each]
    rows = catalogue.ledger.rows(statement, *values, wanted.limit)
    return [_version(document) for (document,) in rows]


def _terms(wanted: Wanted) -> Iterator[tuple[str, Sequence[str | int]]]:
    plain: list[tuple[str, str | int | None]] = [
        ("versions.bucket = ?", wanted.bucket or None),
        ("versions.modified >= ?", wanted.since),
        ("versions.modified < ?", wanted.until),
        ("versions.size > ?", wanted.larger_than),
        ("versions.size < ?", wanted.smaller_than),
    ]
    yield from ((term, [value]) for term, value in plain if value is not None)
    if wanted.prefix:
        yield "versions.key >= ? and versions.key < ?", [wanted.prefix, successor(wanted.prefix)]
    if wanted.name:
        pattern = bool({"*", "?"} & set(wanted.name))
        term = "versions.key glob ?" if pattern else "instr(lower(versions.key), lower(?)) > 0"
        yield term, [wanted.name.replace("[", "[[]") if pattern else wanted.name]
    for group in ("tags", "metadata", "provenance"):
        for name, value in getattr(wanted, group).items():
            yield (
                "exists (select 1 from json_each(document, ?) where key = ? and value = ?)",
                [f"$.description.{group}", name, value],
            )
