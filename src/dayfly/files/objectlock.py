"""Whether a version may be deleted, and how its retention may change. Times are nanoseconds."""

from dayfly.files.errors import LockedError
from dayfly.files.objects import Lock, Version

GOVERNANCE, COMPLIANCE = "GOVERNANCE", "COMPLIANCE"


def check_deletion(version: Version, now: int, *, bypass: bool) -> None:
    lock = version.description.lock
    if lock.hold:
        raise LockedError(f"{version.key}: a legal hold keeps version {version.id}")
    if _keeps(lock, now, bypass=bypass):
        raise LockedError(f"{version.key}: version {version.id} is retained ({lock.mode})")


def check_retention(before: Lock, after: Lock, now: int, *, bypass: bool) -> None:
    """Retention may always be prolonged, and COMPLIANCE only that."""
    if not _keeps(before, now, bypass=bypass):
        return
    weaker = after.mode not in {before.mode, COMPLIANCE}
    if weaker or after.until < before.until:
        raise LockedError(f"retention in {before.mode} can only be prolonged")


def _keeps(lock: Lock, now: int, *, bypass: bool) -> bool:
    return bool(lock.mode) and lock.until > now and not (bypass and lock.mode == GOVERNANCE)
