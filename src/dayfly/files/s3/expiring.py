"""What time does to a bucket: lifecycle rules, the trash, and the list of changes."""

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from dayfly.errors import DayflyError
from dayfly.files.objects import Bucket
from dayfly.files.repository import Repository
from dayfly.files.retention import Rule
from dayfly.files.s3 import lifecycle, lock, settings

DAY_SECONDS = 86_400.0
EVERY_SECONDS = 3600.0
_LOG = logging.getLogger("files")


@dataclass(frozen=True, kw_only=True)
class Expiring:
    """`day` is how long one is, which tests shorten."""

    repository: Repository
    day: float = DAY_SECONDS

    def run(self, ends: threading.Event) -> None:
        """Now and then, until it is told to end."""
        every = EVERY_SECONDS * self.day / DAY_SECONDS
        while not ends.wait(max(every, 0.2)):
            self.once()

    def once(self) -> None:
        care = self.repository.care
        for bucket in self.repository.buckets():
            try:
                rules = rules_of(bucket, self.day)
                if rules and (gone := care.expire(bucket.name, rules)):
                    _LOG.info("%s: %s expired", bucket.name, gone)
                care.empty_trash(bucket.name)
            except DayflyError as error:
                _LOG.error("%s: %s %s", bucket.name, error.message, error.hint)
        care.forget_changes()


def rules_of(bucket: Bucket, day: float = DAY_SECONDS) -> list[Rule]:
    return list(_kept(settings.lifecycle_of(bucket), day / DAY_SECONDS))


def _kept(rules: Iterable[lifecycle.Rule], scale: float) -> Iterable[Rule]:
    for rule in rules:
        if rule.enabled:
            yield Rule(
                prefix=rule.prefix,
                tags=rule.tags,
                larger_than=rule.larger,
                smaller_than=rule.smaller,
                days=(rule.days or 0) * scale,
                until=lock.instant(rule.date) if rule.date else 0,
                older_days=(rule.noncurrent_days or 0) * scale,
                older_kept=rule.newer_noncurrent or 0,
                lone_markers=rule.expired_marker,
                upload_days=(rule.abort_days or 0) * scale,
            )
