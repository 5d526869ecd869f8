"""Rules by which objects expire. Moving them to other storage is not implemented."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import msgspec

from dayfly.clock import SECOND
from dayfly.files.retention import ripe

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Rule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`plain` has its prefix outside of a filter, as old clients write it."""

    id: str
    enabled: bool
    plain: bool = False
    prefix: str = ""
    tags: dict[str, str] = {}
    larger: int | None = None
    smaller: int | None = None
    days: int | None = None
    date: str | None = None
    expired_marker: bool = False
    noncurrent_days: int | None = None
    newer_noncurrent: int | None = None
    abort_days: int | None = None

    def meets(self, key: str, size: int, tags: Mapping[str, str]) -> bool:
        return (
            self.enabled
            and key.startswith(self.prefix)
            and all(tags.get(name) == value for name, value in self.tags.items())
            and (self.larger is None or size > self.larger)
            and (self.smaller is None or size < self.smaller)
        )


def expires(
    rules: Sequence[Rule], key: str, size: int, tags: Mapping[str, str], modified: int
) -> tuple[datetime, str] | None:
    """When the current version will go, and by which rule; the soonest counts."""
    found = [
        (at, rule.id)
        for rule in rules
        if rule.meets(key, size, tags) and (at := _at(rule, modified)) is not None
    ]
    return min(found, default=None)


def header_of(found: tuple[datetime, str]) -> str:
    at, rule = found
    return f'expiry-date="{format_datetime(at, usegmt=True)}", rule-id="{rule}"'


def _at(rule: Rule, modified: int) -> datetime | None:
    """None as well of what is farther away than the calendar goes."""
    if rule.date is not None:
        return datetime.fromisoformat(rule.date[:10]).replace(tzinfo=UTC)
    if rule.days is None:
        return None
    with suppress(OverflowError):
        return _EPOCH + timedelta(seconds=ripe(modified, rule.days) // SECOND)
    return None
