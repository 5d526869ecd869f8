"""What a person changes in the archive: copies, deletions, versions brought back, leases."""

from collections.abc import Iterator
from dataclasses import replace
from threading import Event, Thread
from typing import Any

from dayfly.cli.archive.looking import keys
from dayfly.cli.archive.place import (
    by_hand,
    instant,
    name_of,
    named,
    object_named,
    target_named,
)
from dayfly.cli.output import clean, say
from dayfly.clock import Stop
from dayfly.command import Setting, run
from dayfly.config.inherited import inherited_with
from dayfly.config.units import Duration
from dayfly.errors import DayflyError, UsageError
from dayfly.files.condition import Condition
from dayfly.files.objects import Lease, Version, Versioning
from dayfly.files.repository import Repository
from dayfly.files.store import Store

OWNER = "dayfly"  # whose buckets are that somebody makes here
TOKEN = "DAYFLY_LEASE_TOKEN"  # noqa: S105 - the name of a variable


def create(repository: Store, name: str, owner: str, *, versions: bool) -> None:
    repository.create_bucket(name, owner=owner)
    if versions:
        repository.set_versioning(name, Versioning.ENABLED)


def copy(repository: Store, source: str, target: str, condition: Condition) -> Version:
    """All that was said about it goes along, with whose it is now."""
    here = object_named(source)
    there = target_named(target, name_of(here.key), nameless=f"{source}: has no name at its end")
    found = repository.head(here.bucket, here.key)
    told = replace(
        found.description,
        owner=repository.bucket(there.bucket).owner,
        provenance=by_hand(f"{here.bucket}/{here.key}?versionId={found.id}"),
    )
    return repository.copy(found, there.bucket, there.key, told, condition)


def restore(repository: Store, place: str, version: str, condition: Condition) -> Version:
    """An earlier state becomes the current one; those between stay."""
    wanted = object_named(place)
    found = repository.head(wanted.bucket, wanted.key, version)
    if found.marker:
        raise UsageError(f"{version} is a deletion", hint="`dayfly files versions` shows the rest.")
    told = replace(found.description, restored_from=found.id, provenance=by_hand())
    return repository.copy(found, wanted.bucket, wanted.key, told, condition)


def remove(repository: Store, place: str, version: str, condition: Condition) -> str:
    """What came of it, in words."""
    wanted = object_named(place)
    repository.head(wanted.bucket, wanted.key, version)  # a mistyped one is told
    done = repository.delete(wanted.bucket, wanted.key, version or None, condition, by=by_hand())
    if done.marker and not version:
        return f"{wanted} is deleted; `dayfly files versions {wanted}` shows what can be restored"
    what = f"{wanted}: version {version}" if version else str(wanted)
    if seconds := repository.bucket(wanted.bucket).trash_seconds:
        trash = f"`dayfly files trash ls {wanted.bucket}` shows it"
        return f"{what} is deleted, and can be put back for {Duration(seconds)}: {trash}"
    return (
        f"{what} is gone for good" if version else f"{what} is gone: its bucket keeps no versions"
    )


def remove_below(repository: Store, place: str) -> Iterator[str]:
    """Every object with this prefix."""
    wanted = named(place)
    for entry in keys(repository, wanted.bucket, wanted.key):
        repository.delete(wanted.bucket, entry.key, by=by_hand())
        yield entry.key


def leases(repository: Repository, bucket: str) -> list[dict[str, Any]]:
    return [lease_row(each) for each in repository.leases.running(bucket)]


def lease_row(lease: Lease) -> dict[str, Any]:
    return {
        "bucket": lease.bucket,
        "key": lease.key,
        "owner": lease.owner,
        "until": instant(lease.until),
        "token": lease.token,
    }


def lease_line(row: dict[str, Any]) -> str:
    return clean(f"{row['key']}  {row['owner']}  until {row['until']}, token {row['token']}")


def lease(repository: Repository, place: str, owner: str, seconds: float) -> Lease:
    wanted = object_named(place)
    return repository.leases.take(wanted.bucket, wanted.key, owner=owner, seconds=seconds)


def release(repository: Repository, place: str, token: int) -> None:
    """The one that has this token."""
    wanted = object_named(place)
    running = repository.leases.running(wanted.bucket)
    held = next((it for it in running if (it.key, it.token) == (wanted.key, token)), None)
    if held is None:
        raise DayflyError(f"{wanted}: nobody has a lease with token {token}")
    repository.leases.release(held)


def while_held(repository: Repository, held: Lease, seconds: float, command: str) -> int:
    """Run a command of the shell that alone may write the key; it ends when the lease is lost."""
    stop, over = Stop(), Event()

    def prolong() -> None:
        while not over.wait(seconds / 3):
            try:
                repository.leases.prolong(held, seconds)
            except DayflyError as error:
                stop.request(error.message)
                return

    thread = Thread(target=prolong, name="lease")
    thread.start()
    try:
        setting = Setting(env=inherited_with(**{TOKEN: str(held.token)}))
        argv = ["/bin/sh", "-c", command]
        done = run(
            argv, setting=setting, on_line=lambda line: say(clean(line)), stop=stop, check=False
        )
    finally:
        over.set()
        thread.join()
        if not stop.requested:
            repository.leases.release(held)
    return done.status if done.status >= 0 else 128 - done.status
