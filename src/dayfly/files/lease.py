"""The exclusive right to write a key for a while, with a token that fences off who had it before.

While a lease runs, only who names its token may write the key. A token that is not the newest one
is refused for ever: a program that was stopped, and goes on after somebody else had the lease,
does no harm.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from dayfly.clock import SECOND
from dayfly.durable import write_atomically
from dayfly.files.errors import LeasedError
from dayfly.files.ground import Ground
from dayfly.files.holding import holding
from dayfly.files.keys import check_key
from dayfly.files.objects import Lease
from dayfly.files.statements import with_lease
from dayfly.files.system import made
from dayfly.files.tokens import next_token
from dayfly.files.tree import SIDECAR, hash_of


@dataclass(frozen=True)
class Leases:
    ground: Ground

    def take(self, bucket: str, key: str, *, owner: str, seconds: float) -> Lease:
        """The exclusive right to write a key; its token goes into the condition of a write.

        LeasedError while somebody else has it; the same owner prolongs the one it has.
        """
        check_key(key)
        with holding(self.ground, bucket, key):
            before = self.ground.catalogue.lease(bucket, key)
            until = self._after(seconds)
            if before and _runs(self.ground, before):
                if before.owner != owner:
                    raise held(before)
                fresh = replace(before, until=max(before.until, until))
            else:
                token = next_token(self.ground.tree, bucket, before)
                fresh = Lease(bucket=bucket, key=key, owner=owner, until=until, token=token)
            _write(self.ground, fresh)
        return fresh

    def prolong(self, lease: Lease, seconds: float) -> Lease:
        """LeasedError where somebody else has had it since."""
        return self._changed(lease, self._after(seconds))

    def release(self, lease: Lease) -> None:
        self._changed(lease, 0)

    def newest(self, bucket: str, key: str) -> Lease | None:
        """Whether it runs or has ended."""
        return self.ground.catalogue.lease(self.ground.bucket(bucket).name, key)

    def running(self, bucket: str) -> Sequence[Lease]:
        """By key."""
        found = self.ground.bucket(bucket)
        return self.ground.catalogue.leases(found.name, self.ground.now())

    def _after(self, seconds: float) -> int:
        return self.ground.now() + round(seconds * SECOND)

    def _changed(self, lease: Lease, until: int) -> Lease:
        with holding(self.ground, lease.bucket, lease.key):
            check(self.ground, lease.bucket, lease.key, lease.token)
            fresh = replace(lease, until=until)
            _write(self.ground, fresh)
        return fresh


def check(ground: Ground, bucket: str, key: str, token: int | None) -> None:
    """Whether a key may be written with a token, or without one."""
    newest = ground.catalogue.lease(bucket, key)
    if token is not None and token != (newest.token if newest else None):
        raise LeasedError(f"{bucket}/{key}: token {token} is not the newest one")
    if token is None and newest and _runs(ground, newest):
        raise held(newest)


def held(lease: Lease) -> LeasedError:
    return LeasedError(
        f"{lease.bucket}/{lease.key}: {lease.owner} has the lease", owner=lease.owner
    )


def _runs(ground: Ground, lease: Lease) -> bool:
    return lease.until > ground.now()


def _write(ground: Ground, lease: Lease) -> None:
    """The file stays when the lease has ended: no token is given twice."""
    folder = ground.tree.leases(lease.bucket)
    made(folder)
    write_atomically(folder / f"{hash_of(lease.key)}{SIDECAR}", msgspec.json.encode(lease), 0o644)
    ground.catalogue.commit([with_lease(lease)])
