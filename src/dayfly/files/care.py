"""What the archive needs beside reading and writing: looked through, repaired, cleared out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dayfly.files import mirror, opening, rebuilding, retention, surveying, trash
from dayfly.files.condition import ALWAYS, Condition
from dayfly.files.ground import Ground
from dayfly.files.objects import Provenance, Trashed, Version
from dayfly.files.retention import Rule
from dayfly.files.scrub import Copies, Finding, no_copies, scrub
from dayfly.files.statements import only_newest_changes


@dataclass(frozen=True)
class Care:
    ground: Ground

    def rebuild(self) -> None:
        """Make the index anew from the tree alone; nobody else may have the archive open."""
        opening.alone(self.ground)
        rebuilding.rebuild(self.ground)
        opening.follow(self.ground)

    def survey(self, bucket: str) -> Sequence[str]:
        """Take in what a hand put, edited or deleted, wherever; names that no key has are told.

        An object that is read is looked at anyway; lists know it only after this.
        """
        return surveying.survey(self.ground, self.ground.bucket(bucket))

    def scrub(self, bucket: str, copies: Copies = no_copies) -> Iterator[Finding]:
        """Read all bytes, tell what is damaged, missing or changed, and repair what can be.

        `copies` names a file that may hold the bytes of a version, such as one of a mirror.
        """
        yield from scrub(self.ground, self.ground.bucket(bucket), copies)

    def expire(self, bucket: str, rules: Sequence[Rule]) -> int:
        """Delete what rules no longer keep, as far as no lock does; how much that was."""
        return retention.expire(self.ground, self.ground.bucket(bucket), rules)

    def trash(self, bucket: str) -> Sequence[Trashed]:
        """What was deleted or replaced for good, the newest first."""
        return trash.listed(self.ground, self.ground.bucket(bucket).name)

    def restore(
        self, trashed: Trashed, condition: Condition = ALWAYS, by: Provenance | None = None
    ) -> Version:
        """Put it again, by somebody else than at first if told; it stays in the trash."""
        return trash.restore(self.ground, trashed, condition, by)

    def empty_trash(self, bucket: str, seconds: float | None = None) -> int:
        """Remove what lies longer in the trash than that, or than the bucket keeps it."""
        return trash.empty(self.ground, self.ground.bucket(bucket), seconds)

    def forget_changes(self, kept: int = 100_000) -> None:
        """All but the newest changes."""
        self.ground.catalogue.commit([only_newest_changes(kept)])

    def mirror(self, target: Path) -> Iterator[Version]:
        """Make a second copy the same; tells each version that it copies."""
        yield from mirror.mirror(self.ground, target)
