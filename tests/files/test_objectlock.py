"""Retention and legal holds, as S3 has them."""

from pathlib import Path

import pytest

from archived import BUCKET, archive, put
from dayfly.files.errors import FilesError, LockedError
from dayfly.files.objectlock import check_deletion, check_retention
from dayfly.files.objects import Description, Lock, Version, Versioning

NOW = 1000
GOVERNED, COMPLIANT = Lock(mode="GOVERNANCE", until=2000), Lock(mode="COMPLIANCE", until=2000)
OVER = Lock(mode="COMPLIANCE", until=1000)
HELD = Lock(hold=True)

DELETIONS = {
    "free": (Lock(), False, True),
    "governed": (GOVERNED, False, False),
    "governed, passed by": (GOVERNED, True, True),
    "compliant": (COMPLIANT, False, False),
    "compliant, passed by": (COMPLIANT, True, False),
    "over": (OVER, False, True),
    "held": (HELD, False, False),
    "held, passed by": (HELD, True, False),
}


@pytest.mark.parametrize("case", DELETIONS)
def test_a_lock_decides_about_the_deletion_of_a_version(case: str) -> None:
    lock, bypass, allowed = DELETIONS[case]
    version = Version(bucket=BUCKET, key="a", uid="1", description=Description(lock=lock))
    if allowed:
        check_deletion(version, NOW, bypass=bypass)
    else:
        with pytest.raises(LockedError):
            check_deletion(version, NOW, bypass=bypass)


def lock(mode: str, until: int) -> Lock:
    return Lock(mode=mode, until=until)


CHANGES = {
    "set": (Lock(), COMPLIANT, False, True),
    "governed, longer": (GOVERNED, lock("GOVERNANCE", 3000), False, True),
    "governed, shorter": (GOVERNED, lock("GOVERNANCE", 1500), False, False),
    "governed, shorter, passed by": (GOVERNED, lock("GOVERNANCE", 1500), True, True),
    "governed, taken away": (GOVERNED, Lock(), False, False),
    "governed, taken away, passed by": (GOVERNED, Lock(), True, True),
    "governed to compliant": (GOVERNED, COMPLIANT, False, True),
    "compliant, longer": (COMPLIANT, lock("COMPLIANCE", 3000), False, True),
    "compliant, shorter": (COMPLIANT, lock("COMPLIANCE", 1500), True, False),
    "compliant to governed": (COMPLIANT, lock("GOVERNANCE", 3000), True, False),
    "over": (OVER, Lock(), False, True),
}


@pytest.mark.parametrize("case", CHANGES)
def test_retention_can_be_prolonged_and_hardly_anything_else(case: str) -> None:
    before, after, bypass, allowed = CHANGES[case]
    if allowed:
        check_retention(before, after, NOW, bypass=bypass)
    else:
        with pytest.raises(LockedError):
            check_retention(before, after, NOW, bypass=bypass)


def test_a_bucket_gets_object_lock_later_and_keeps_it(tmp_path: Path) -> None:
    with archive(tmp_path) as repository:
        repository.create_bucket(BUCKET, owner="ann")
        with pytest.raises(FilesError, match="versioning, which is not enabled"):
            repository.enable_object_lock(BUCKET)
        repository.set_versioning(BUCKET, Versioning.ENABLED)
        assert repository.enable_object_lock(BUCKET).object_lock
        with pytest.raises(FilesError, match="has object lock"):
            repository.set_versioning(BUCKET, Versioning.SUSPENDED)


def test_a_locked_version_can_be_covered_but_not_removed(tmp_path: Path) -> None:
    with archive(tmp_path) as repository:
        repository.create_bucket(BUCKET, owner="ann", object_lock=True)
        assert repository.bucket(BUCKET).versioning is Versioning.ENABLED
        version = put(repository, "a", b"1", Description(lock=lock("GOVERNANCE", 2**62)))
        marker = repository.delete(BUCKET, "a")
        with pytest.raises(LockedError):
            repository.delete(BUCKET, "a", version.id)
        repository.delete(BUCKET, "a", marker.id)
        repository.delete(BUCKET, "a", version.id, bypass=True)
