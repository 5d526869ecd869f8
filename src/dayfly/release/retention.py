"""What is removed on its own, and only that: images, output and old events of releases long over.

Kept directories, the database and whatever serves, is warm or is under way are never touched.
"""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass

from dayfly.release.records import ReleaseRecord
from dayfly.release.work import Parts


@dataclass(frozen=True)
class Surplus:
    """Releases whose output goes, and the keys of images that nobody can go back to any more."""

    releases: tuple[int, ...]
    images: frozenset[str]


def surplus(records: Sequence[ReleaseRecord], keep: int, images: frozenset[str]) -> Surplus:
    """Of one app, `records` newest first: the newest `keep` that are over stay whole."""
    held = {"running", "waiting", "serving", "warm"}
    over = [r for r in records if r.outcome not in held and not r.warm_until]
    served = [r for r in over if r.outcome in {"retired", "rolled-back"}]
    kept = {r.number for r in served[:keep]} | {r.number for r in over[:keep]}
    gone = tuple(r.number for r in over if r.number not in kept)
    needed = {r.image for r in records if r.number not in gone}
    return Surplus(gone, frozenset(images - needed))


def prune(parts: Parts) -> None:
    """Remove what retention no longer keeps."""
    settings, journal = parts.settings.retention, parts.journal
    journal.forget_passing(time.time() - settings.events)
    for app in {record.app for record in journal.releases()}:
        images = {image.key: image for image in parts.builder.images() if image.app == app}
        found = surplus(journal.releases(app), settings.releases, frozenset(images))
        in_use = {machine.release for machine in parts.runtime.machines() if machine.app == app}
        running = {journal.release(number).image for number in in_use}
        for key in found.images - running:
            parts.builder.remove(images[key])
        for number in found.releases:
            _remove_output(parts, number)


def _remove_output(parts: Parts, number: int) -> None:
    shutil.rmtree(parts.home.release(number), ignore_errors=True)
    for machine in parts.journal.machines(release=number):
        if machine.removed is not None:
            parts.runtime.forget(machine.name)
