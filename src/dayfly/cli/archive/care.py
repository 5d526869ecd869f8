"""Looking after an archive: damage found and mended, the index made anew."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dayfly.cli.archive.place import file_at, named
from dayfly.cli.output import clean, paint
from dayfly.files.errors import GoneError
from dayfly.files.mirror import copies_in
from dayfly.files.repository import Repository
from dayfly.files.scrub import Copies, Finding, Kind, no_copies
from dayfly.shown import amount


def mirrored(repository: Repository, target: str, tell: Callable[[str], None]) -> dict[str, Any]:
    """How much of it was new."""
    copied = size = 0
    for version in repository.care.mirror(Path(target).absolute()):
        copied, size = copied + 1, size + version.size
        tell(f"{copied:,} versions, {amount(size)}: {version.bucket}/{version.key}")
    return {"copied": copied, "bytes": size}


def scrubbed(
    repository: Repository, bucket: str | None, mirror: str | None
) -> Iterator[dict[str, Any]]:
    """One finding after the other, as all bytes are read."""
    copies = copies_in(file_at(Path(mirror)), repository.ground.tree) if mirror else no_copies
    names = [named(bucket).bucket] if bucket else [each.name for each in repository.buckets()]
    for name in names:
        try:
            repository.ground.tree.check(name)
            yield from _scrubbed(repository, name, copies)
        except GoneError:
            repository.ground.tree.check()
            yield _told(Finding(bucket=name, key="", id="", kind=Kind.FOLDER))


def _scrubbed(repository: Repository, bucket: str, copies: Copies) -> Iterator[dict[str, Any]]:
    yield from map(_told, repository.care.scrub(bucket, copies))
    # Not before: it takes a file that is missing for one that a hand deleted.
    for strange in repository.care.survey(bucket):
        yield {"bucket": bucket, "file": strange, "kind": "no key", "repaired": False}


def _told(found: Finding) -> dict[str, Any]:
    return {
        "bucket": found.bucket,
        "key": found.key,
        "version": found.id,
        "kind": str(found.kind),
        "repaired": found.repaired,
    }


def is_bad(found: dict[str, Any]) -> bool:
    """Bytes that were acknowledged are not what they were."""
    return not found["repaired"] and found["kind"] not in {Kind.CHANGED, "no key"}


def finding_line(found: dict[str, Any]) -> str:
    what = f"{found['bucket']}/{found.get('key') or found.get('file', '')}"
    version = f" version {found['version']}" if found.get("version") else ""
    mended = ", repaired" if found["repaired"] else ""
    kind = paint("bad" if is_bad(found) else "warn", found["kind"])
    return f"{kind}{mended}  {clean(what + version)}"
