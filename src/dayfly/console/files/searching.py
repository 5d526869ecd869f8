"""What a search asks for, read from what a person typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dayfly.config.units import Duration, UnitError
from dayfly.console.files.places import Thing, seen
from dayfly.errors import UsageError
from dayfly.files.objects import Version
from dayfly.files.repository import Repository
from dayfly.files.search import Wanted
from dayfly.logs.query.instants import ALLOWED, span

MOST = 200  # found objects
FIELDS = ("name", "tag", "metadata", "provenance", "since", "until", "versions")
_SHORT = 10  # of a commit id
_ORIGINS = ("who", "release", "commit", "machine", "job", "source")


@dataclass(frozen=True, kw_only=True)
class Found:
    """An object, or an earlier version of it."""

    name: str
    address: str
    size: int
    modified: int
    origin: str


def is_asked(told: Mapping[str, str]) -> bool:
    return any(told.get(name, "").strip() for name in FIELDS)


def wanted(told: Mapping[str, str], now: int) -> Wanted:
    """UsageError names the field, what was found and what is allowed."""
    provenance = _pair("provenance", told)
    if provenance and not set(provenance) <= set(_ORIGINS):
        raise UsageError(f"provenance: found {next(iter(provenance))!r}", hint=_allowed(_ORIGINS))
    return Wanted(
        bucket=told.get("bucket", ""),
        prefix=told.get("prefix", ""),
        name=told.get("name", "").strip(),
        tags=_pair("tag", told),
        metadata=_pair("metadata", told),
        provenance=provenance,
        since=_moment("since", told, now),
        until=_moment("until", told, now),
        versions=bool(told.get("versions")),
        limit=MOST + 1,
    )


def found(repository: Repository, asked: Wanted) -> tuple[Sequence[Found], bool]:
    """The newest first, and whether there are more than these."""
    if asked.bucket:
        repository.bucket(asked.bucket)  # one that is not there is told
    versions = repository.search(asked)
    return [_row(each, asked) for each in versions[:MOST]], len(versions) > MOST


def _row(version: Version, asked: Wanted) -> Found:
    place = version.key if asked.bucket else f"{version.bucket}/{version.key}"
    of = version.id if asked.versions else ""
    return Found(
        name=seen(place),
        address=Thing(bucket=version.bucket, key=version.key, version=of).address(),
        size=version.size,
        modified=version.modified,
        origin=origin(version),
    )


def origin(version: Version) -> str:
    """Who put it, and from where."""
    told = version.description.provenance
    words = (
        told.who,
        f"release {told.release}" if told.release else "",
        told.commit[:_SHORT],
        told.machine,
        told.job,
        told.source,
    )
    return ", ".join(filter(None, words))


def _pair(name: str, told: Mapping[str, str]) -> dict[str, str]:
    text = told.get(name, "").strip()
    if not text:
        return {}
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise UsageError(f"{name}: found {text!r}", hint="Allowed is NAME=VALUE.")
    return {key.strip(): value.strip()}


def _moment(name: str, told: Mapping[str, str], now: int) -> int | None:
    """Nanoseconds since the epoch, of a time or of how long ago."""
    text = told.get(name, "").strip()
    if not text:
        return None
    if written := span(text):
        return written[0]
    try:
        return now - round(Duration.parse(text) * 1_000_000_000)
    except UnitError as error:
        raise UsageError(
            f"{name}: found {text!r}", hint=f"Allowed is {ALLOWED}, or how long ago: 2h."
        ) from error


def _allowed(names: Sequence[str]) -> str:
    return f"Allowed are {', '.join(names)}, as in machine=orders-7-web-1."
