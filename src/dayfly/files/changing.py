"""Objects put, copied, deleted, and described anew."""

from collections.abc import Callable
from dataclasses import replace

from dayfly.files import lease
from dayfly.files.catalogue import Known
from dayfly.files.condition import Condition
from dayfly.files.errors import ConditionError, NoRoomError, NoSuchKeyError, NotKeptError
from dayfly.files.ground import Ground
from dayfly.files.holding import Holding, holding
from dayfly.files.keys import check_key
from dayfly.files.objectlock import check_deletion
from dayfly.files.objects import (
    NOBODY,
    Bucket,
    Checksum,
    Deletion,
    Description,
    Provenance,
    Version,
    Versioning,
)
from dayfly.files.reading import named, of_id
from dayfly.files.staging import Staged


def put(
    ground: Ground, staged: Staged, key: str, description: Description, condition: Condition
) -> Version:
    check_key(key)
    description = with_checksum(description, staged)
    staged.seal()
    with holding(ground, staged.bucket, key) as held:
        check(held, held.current, condition)
        check_quota(ground, held.bucket, key, staged.size)
        version = replace(
            held.begun(),
            size=staged.size,
            etag=staged.etag,
            crc=staged.crc,
            description=description,
        )
        return held.put(version, staged.path)


def check(held: Holding, version: Version | None, condition: Condition) -> None:
    lease.check(held.ground, held.bucket.name, held.key, condition.token)
    mount = held.ground.mount
    if condition.of_state and not mount.exclusive:
        raise NotKeptError(
            f"{held.ground.tree.root}: the mount does not tell who of several writers is first "
            f"({mount.why})",
            hint="Write without a condition, under a lease.",
        )
    condition.check(version)


def check_quota(ground: Ground, bucket: Bucket, key: str, size: int) -> None:
    """What others put at the very same time is not counted yet."""
    if not bucket.quota:
        return
    used = ground.catalogue.usage(bucket.name).all_bytes
    if bucket.versioning is not Versioning.ENABLED:
        replaced = ground.catalogue.null(bucket.name, key)
        used -= replaced.version.size if replaced else 0
    if used + size > bucket.quota:
        raise NoRoomError(
            f"{bucket.name}: {used} of {bucket.quota} bytes are used, {size} more are too many",
            hint="Delete objects or versions of the bucket, or raise its quota.",
        )


def with_checksum(description: Description, staged: Staged) -> Description:
    """One without a value is filled in."""
    asked = description.checksum
    if asked is None or asked.value:
        return description
    taken = Checksum(algorithm=asked.algorithm, value=staged.digest(asked.algorithm))
    return replace(description, checksum=taken)


def delete(
    ground: Ground, bucket: str, key: str, condition: Condition, by: Provenance = NOBODY
) -> Deletion:
    check_key(key)
    with holding(ground, bucket, key) as held:
        _check_deletable(held, held.current, condition)
        return deleted(held, by)


def _check_deletable(
    held: Holding, version: Version | None, condition: Condition, id_: str = ""
) -> None:
    """Of many who delete the same state one does; the others are told that it was not they."""
    try:
        check(held, version, condition)
    except NoSuchKeyError as error:
        removed = held.ground.catalogue.removed(held.bucket.name, held.key, id_)
        if removed and condition.names(removed):
            raise ConditionError(f"{held.key}: somebody else has deleted it") from error
        raise


def deleted(held: Holding, by: Provenance) -> Deletion:
    """The current version, as the bucket's versioning has it."""
    if held.bucket.versioning is Versioning.NEVER:
        if held.latest:
            held.remove(held.latest)
        return Deletion()
    begun = held.begun()
    told = Description(owner=held.bucket.owner, provenance=by)
    marker = replace(begun, marker=True, description=told)
    return Deletion(id=held.put(marker, None).id, marker=True)


def delete_version(
    ground: Ground, where: tuple[str, str, str], condition: Condition, *, bypass: bool
) -> Deletion:
    bucket, key, id_ = where
    check_key(key)
    with holding(ground, bucket, key) as held:
        known = of_id(ground, bucket, key, id_)
        _check_deletable(held, known.version if known else None, condition, id_)
        if known is None:
            return Deletion(id=id_)
        check_deletion(known.version, ground.now(), bypass=bypass)
        held.remove(known)
        return Deletion(id=id_, marker=known.version.marker)


def change(
    ground: Ground,
    where: tuple[str, str, str],
    changed: Callable[[Description], Description],
    by: Condition | None = None,
) -> Version:
    """Describe a version anew; `by` has the token of who must not do so under another's lease."""
    bucket, key, id_ = where
    check_key(key)
    with holding(ground, bucket, key) as held:
        if by:
            lease.check(ground, bucket, key, by.token)
        known = named(ground, bucket, key, id_) if id_ else _current(held)
        if known.version.marker:
            raise NoSuchKeyError(f"{bucket}/{key}: is deleted", marker=known.version.id)
        after = replace(known.version, description=changed(known.version.description))
        return held.change(known, after)


def _current(held: Holding) -> Known:
    if held.latest is None or held.latest.version.marker:
        marker = held.latest.version.id if held.latest else ""
        raise NoSuchKeyError(f"{held.bucket.name}/{held.key}: no such key", marker=marker)
    return held.latest
