"""The exclusive right to write a key for a while, with a token that fences off who had it before.

While a lease runs, only who names its token may write the key. A token that is not the newest one
is refused for ever: a program that was stopped, and goes on after somebody else had the lease,
does no harm.
"""

from dataclasses import replace

import msgspec

from dayfly.durable import write_atomically
from dayfly.files.catalogue import with_lease
from dayfly.files.errors import LeasedError
from dayfly.files.ground import Ground
from dayfly.files.holding import holding
from dayfly.files.keys import check_key
from dayfly.files.objects import Lease
from dayfly.files.system import made
from dayfly.files.tree import SIDECAR, hash_of


def take(ground: Ground, wanted: Lease) -> Lease:
    """LeasedError while somebody else has it; who has it already gets the same one, for longer."""
    check_key(wanted.key)
    with holding(ground, wanted.bucket, wanted.key):
        before = ground.catalogue.lease(wanted.bucket, wanted.key)
        if before and _runs(ground, before):
            if before.owner != wanted.owner:
                raise held(before)
            fresh = replace(before, until=max(before.until, wanted.until))
        else:
            fresh = replace(wanted, token=before.token + 1 if before else 1)
        _write(ground, fresh)
    return fresh


def change(ground: Ground, lease: Lease, until: int) -> Lease:
    """Prolong a lease, or end it; LeasedError where somebody else has had it since."""
    with holding(ground, lease.bucket, lease.key):
        check(ground, lease.bucket, lease.key, lease.token)
        fresh = replace(lease, until=until)
        _write(ground, fresh)
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
