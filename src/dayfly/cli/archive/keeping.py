"""What stays, how long, and what happens: the trash, retention, and changes as they come."""

import json as encoding
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from dayfly.cli.archive.place import instant, named, object_named, row
from dayfly.cli.archive.telling import answered, each_told, opened_own
from dayfly.cli.output import clean, flush, say
from dayfly.cli.session import Session
from dayfly.errors import DayflyError
from dayfly.files.objects import Trashed
from dayfly.files.repository import Repository
from dayfly.files.s3 import settings
from dayfly.files.s3.lifecycle import Rule
from dayfly.files.s3.watching import told
from dayfly.shown import amount

LOOK_SECONDS = 0.25
OURS = "dayfly"  # the id of the rules that are made here


def trash_ls(session: Session, *, place: str, json: bool, **at: Any) -> int:  # noqa: ANN401 - options, here and below
    wanted = named(place)
    with opened_own(session, at) as repository:
        found = list(_trashed(repository, wanted.bucket, wanted.key))
    each_told(map(_trash_row, found), _trash_line, json=json)
    return 0


def _trashed(repository: Repository, bucket: str, prefix: str) -> Iterator[Trashed]:
    """The newest first."""
    return (each for each in repository.care.trash(bucket) if each.version.key.startswith(prefix))


def _trash_row(trashed: Trashed) -> dict[str, Any]:
    return {**row(trashed.version), "since": instant(trashed.since), "uid": trashed.version.uid}


def _trash_line(each: dict[str, Any]) -> str:
    return f"{each['since']}  {amount(each['size']):>9}  {each['uid']}  {clean(each['key'])}"


def trash_restore(session: Session, *, version: str, json: bool, **at: Any) -> int:  # noqa: ANN401
    place = at.pop("place")
    wanted = object_named(place)
    with opened_own(session, at) as repository:
        found = [
            each
            for each in _trashed(repository, wanted.bucket, wanted.key)
            if each.version.key == wanted.key and each.version.uid.startswith(version)
        ]
        if not found:
            raise DayflyError(
                f"{place}: nothing of it lies in the trash",
                hint=f"dayfly files trash ls {wanted.bucket}",
            )
        made = repository.care.restore(found[0])
    return answered(row(made), f"{made.bucket}/{made.key}  {amount(made.size)}", json=json)


def trash_empty(session: Session, *, bucket: str, older: float, **at: Any) -> int:  # noqa: ANN401
    with opened_own(session, at) as repository:
        gone = repository.care.empty_trash(bucket, older)
    say(f"{gone} versions are gone for good.")
    return 0


def retain(session: Session, *, place: str, off: bool, json: bool, **told_: Any) -> int:  # noqa: ANN401
    """Days are those of S3's lifecycle rules; rules that others have made stay."""
    at = {name: told_.pop(name) for name in ("root", "index")}
    wanted = named(place)
    rule = _rule(wanted.key, **told_)
    with opened_own(session, at) as repository:
        rules = settings.lifecycle_of(repository.bucket(wanted.bucket))
        if off or any(told_.values()):
            rules = tuple(each for each in rules if each.id != rule.id) + (() if off else (rule,))
            text = settings.written(rules) if rules else None
            repository.set_document(wanted.bucket, settings.LIFECYCLE, text)
    if json:
        each_told([msgspec.to_builtins(each) for each in rules], str, json=True)
    else:
        say(*map(_rule_line, rules) if rules else ["Everything is kept."])
    return 0


def _rule(
    prefix: str,
    *,
    expire: int | None,
    versions: int | None,
    newest: int | None,
    uploads: int | None,
) -> Rule:
    return Rule(
        id=f"{OURS} {prefix}".strip(),
        enabled=True,
        prefix=prefix,
        days=expire,
        noncurrent_days=versions if versions or newest is None else 1,
        newer_noncurrent=newest,
        abort_days=uploads,
    )


def _rule_line(rule: Rule) -> str:
    words = (
        f"objects after {rule.days} days" if rule.days else "",
        f"objects at {rule.date}" if rule.date else "",
        f"superseded versions after {rule.noncurrent_days} days" if rule.noncurrent_days else "",
        f"but the newest {rule.newer_noncurrent}" if rule.newer_noncurrent else "",
        f"unfinished uploads after {rule.abort_days} days" if rule.abort_days else "",
    )
    what = ", ".join(filter(None, words)) or "lone delete markers"
    below = f" below {rule.prefix}" if rule.prefix else ""
    return clean(f"deleted{below}: {what}{'' if rule.enabled else ' (not in force)'}")


def watch(
    session: Session,
    *,
    place: str,
    after: int | None,
    limit: int | None,
    json: bool,
    **at: Any,  # noqa: ANN401
) -> int:
    wanted = named(place)
    with opened_own(session, at) as repository:
        repository.bucket(wanted.bucket)  # a mistyped one is told
        found = _changes(repository, wanted.bucket, wanted.key, after)
        for change in islice(found, limit):
            say(encoding.dumps(change) if json else _change_line(change))
            flush()
    return 0


def _changes(
    repository: Repository, bucket: str, prefix: str, after: int | None
) -> Iterator[dict[str, Any]]:
    """Without an end."""
    at = repository.last_change() if after is None else after
    while True:
        batch = repository.changes(at)
        for change in batch:
            if change.bucket == bucket and change.key.startswith(prefix):
                yield told(change)
        if batch:
            at = batch[-1].sequence
        else:
            time.sleep(LOOK_SECONDS)


def _change_line(change: dict[str, Any]) -> str:
    return clean(f"{change['at']}  {change['kind']:<9}  {change['key']}  {change['version']}")
