"""What is no longer to be kept, as S3's lifecycle rules have it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise

from dayfly.clock import DAY
from dayfly.files import changing, lease, uploads
from dayfly.files.errors import LeasedError, LockedError, NoSuchUploadError
from dayfly.files.ground import Ground
from dayfly.files.holding import Holding, holding
from dayfly.files.objectlock import check_deletion
from dayfly.files.objects import Bucket, Provenance, Version

EXPIRED = Provenance(source="lifecycle rule")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Of the objects it is for: what is deleted. None and 0 mean that it is kept."""

    prefix: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    larger_than: int | None = None
    smaller_than: int | None = None
    days: float = 0  # after which the current version is deleted
    until: int = 0  # the time at which it is deleted
    older_days: float = 0  # after which a version that is no longer the current one is deleted
    older_kept: int = 0  # of these the newest ones, which stay
    lone_markers: bool = False  # a delete marker with nothing below it
    upload_days: float = 0  # after which an upload that was not completed is aborted

    @property
    def of_names(self) -> bool:
        """Whether it is for all below its prefix.

        What has no tags and no size, as an upload or a delete marker, meets no other rule.
        """
        return not self.tags and self.larger_than is None and self.smaller_than is None

    def is_for(self, version: Version) -> bool:
        if version.marker:
            return self.of_names and version.key.startswith(self.prefix)
        tags = version.description.tags
        return (
            version.key.startswith(self.prefix)
            and all(tags.get(name) == value for name, value in self.tags.items())
            and (self.larger_than is None or version.size > self.larger_than)
            and (self.smaller_than is None or version.size < self.smaller_than)
        )


@dataclass(frozen=True, kw_only=True)
class Due:
    current: bool = False  # to be deleted as if somebody asked for it
    versions: tuple[Version, ...] = ()  # to be deleted for good


def ripe(moment: int, days: float) -> int:
    """Whole days end at a midnight of UTC; parts of one, which tests wait for, end in between."""
    end = moment + round(days * DAY)
    return -(-end // DAY) * DAY if float(days).is_integer() else end


def due(rule: Rule, versions: Sequence[Version], now: int) -> Due:
    """Of the versions of a key, newest first."""
    top = versions[0]
    older = [
        each
        for number, (after, each) in enumerate(pairwise(versions))
        if rule.older_days
        and number >= rule.older_kept
        and now >= ripe(after.modified, rule.older_days)
        and rule.is_for(each)
    ]
    lone = top.marker and len(versions) == 1 and rule.lone_markers
    if lone and rule.is_for(top):
        older.append(top)
    old = rule.days and now >= ripe(top.modified, rule.days)
    over = rule.until and now >= rule.until
    return Due(
        current=not top.marker and bool(old or over) and rule.is_for(top), versions=tuple(older)
    )


def expire(ground: Ground, bucket: Bucket, rules: Sequence[Rule]) -> int:
    keys = ground.catalogue.every_key(bucket.name)
    done = sum(_expired(ground, bucket, key, rules) for key in keys)
    return done + sum(_aborted(ground, bucket, rules))


def _expired(ground: Ground, bucket: Bucket, key: str, rules: Sequence[Rule]) -> int:
    """Decided once more while nobody changes the key, as somebody may just have put it."""
    if _due(ground, bucket, key, rules) == Due():
        return 0
    with holding(ground, bucket.name, key) as held, suppress(LeasedError):
        lease.check(ground, bucket.name, key, None)
        found = _due(ground, held.bucket, key, rules)
        done = sum(_deleted(held, version) for version in found.versions)
        if found.current:
            changing.deleted(held, EXPIRED)
        return done + found.current
    return 0


def _due(ground: Ground, bucket: Bucket, key: str, rules: Sequence[Rule]) -> Due:
    """By all rules together."""
    versions = [each.version for each in ground.catalogue.all_of(bucket.name, key)]
    found = [due(rule, versions, ground.now()) for rule in rules] if versions else []
    older = {each.uid: each for one in found for each in one.versions}
    return Due(current=any(one.current for one in found), versions=tuple(older.values()))


def _deleted(held: Holding, version: Version) -> bool:
    ground = held.ground
    known = ground.catalogue.of_uid(version.bucket, version.key, version.uid)
    with suppress(LockedError):
        if known:
            check_deletion(known.version, ground.now(), bypass=False)
            held.remove(known)
            return True
    return False


def _aborted(ground: Ground, bucket: Bucket, rules: Sequence[Rule]) -> Iterator[int]:
    for upload in uploads.every(ground, bucket.name):
        if any(
            rule.upload_days
            and rule.of_names
            and upload.key.startswith(rule.prefix)
            and ground.now() >= ripe(upload.begun, rule.upload_days)
            for rule in rules
        ):
            with suppress(NoSuchUploadError):
                uploads.abort(ground, upload)
                yield 1
