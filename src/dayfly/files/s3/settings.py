"""The documents that a bucket keeps, read as what they mean."""

from typing import TypeVar

import msgspec

from dayfly import typed
from dayfly.files.objects import Bucket, Version
from dayfly.files.s3 import acl as acls
from dayfly.files.s3 import cors, lifecycle, lock
from dayfly.files.s3.acl import Acl
from dayfly.files.s3.policy import Policy, parsed

ACL = "acl"
CORS = "cors"
LIFECYCLE = "lifecycle"
LOCK = "object-lock"
OWNERSHIP = "ownership"
POLICY = "policy"
PUBLIC = "public-access-block"
TAGGING = "tagging"
T = TypeVar("T")
OWNERSHIPS = ("BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter")


class PublicBlock(msgspec.Struct, frozen=True):
    """What a bucket does not allow, whoever may have allowed it."""

    block_acls: bool = False
    ignore_acls: bool = False
    block_policy: bool = False
    restrict: bool = False


def written(value: object) -> str:
    return msgspec.json.encode(value).decode()


def acl_of(bucket: Bucket) -> Acl:
    return _read(bucket, ACL, Acl) or acls.private(bucket.owner)


def object_acl(version: Version, bucket: Bucket) -> Acl:
    """What was put by hand belongs to the bucket's owner; so does all where that is enforced."""
    if enforced(bucket):
        return acls.private(bucket.owner)
    text = version.description.acl
    if text:
        return typed.decode(text, Acl)
    return acls.private(version.description.owner or bucket.owner)


def owner_of(version_owner: str, bucket: Bucket) -> str:
    return bucket.owner if enforced(bucket) else version_owner or bucket.owner


def enforced(bucket: Bucket) -> bool:
    return bucket.settings.get(OWNERSHIP) == "BucketOwnerEnforced"


def policy_of(bucket: Bucket) -> Policy | None:
    text = bucket.settings.get(POLICY)
    return parsed(text.encode()) if text else None


def cors_of(bucket: Bucket) -> tuple[cors.Rule, ...]:
    return _read(bucket, CORS, tuple[cors.Rule, ...]) or ()


def lifecycle_of(bucket: Bucket) -> tuple[lifecycle.Rule, ...]:
    return _read(bucket, LIFECYCLE, tuple[lifecycle.Rule, ...]) or ()


def locks(bucket: Bucket) -> bool:
    """Whether its versions may be locked: from its making on, or since it was told so."""
    return bucket.object_lock or LOCK in bucket.settings


def lock_of(bucket: Bucket) -> lock.Default:
    return _read(bucket, LOCK, lock.Default) or lock.Default()


def tags_of(bucket: Bucket) -> dict[str, str] | None:
    return _read(bucket, TAGGING, dict[str, str])


def public_of(bucket: Bucket) -> PublicBlock | None:
    return _read(bucket, PUBLIC, PublicBlock)


def _read(bucket: Bucket, name: str, kind: type[T]) -> T | None:
    text = bucket.settings.get(name)
    return None if text is None else typed.decode(text, kind)
