"""What is done for each command, and what is told of it."""

from collections.abc import Mapping
from typing import Any

from dayfly.cli.archive import alone, care, changing, keeping, looking, place, transfers
from dayfly.cli.archive.telling import answered, each_told, opened, opened_own
from dayfly.cli.commands import Run
from dayfly.cli.output import clean, say, say_json, working
from dayfly.cli.session import Session
from dayfly.config.units import Duration, Size
from dayfly.errors import DayflyError, UsageError
from dayfly.files.condition import Condition
from dayfly.files.repository import Repository
from dayfly.files.search import Wanted
from dayfly.shown import amount

Row = Mapping[str, Any]


def ls(session: Session, *, place: str | None, recursive: bool, json: bool, **at: Any) -> int:  # noqa: ANN401 - options, here and below
    if place is None:
        return du(session, place=None, json=json, **at)
    with opened(session, at) as repository:
        rows = looking.listed(repository, place, recursive=recursive)
        each_told(rows, looking.list_line, json=json)
    return 0


def du(session: Session, *, place: str | None, json: bool, **at: Any) -> int:  # noqa: ANN401
    with opened(session, at) as repository:
        found = looking.usage(repository, place)
    if json:
        say_json(found)
    else:
        say(*looking.usage_lines(found))
    return 0


def versions(session: Session, *, place: str, json: bool, **at: Any) -> int:  # noqa: ANN401
    with opened(session, at) as repository:
        found = looking.versions(repository, place)
    if not found:
        raise DayflyError(f"{place}: there is no such object, and nothing is kept of one")
    if json:
        say_json(found)
    else:
        say(*looking.version_lines(found))
    return 0


def search(session: Session, *, json: bool, **told: Any) -> int:  # noqa: ANN401
    at = {name: told.pop(name) for name in ("root", "index")}
    where = place.named(told["place"])
    wanted = Wanted(
        bucket=where.bucket,
        prefix=where.key,
        name=told["name"] or "",
        since=told["since"],
        until=told["until"],
        tags=dict(told["tag"]),
        metadata=dict(told["metadata"]),
        provenance=dict(told["provenance"]),
        versions=told["versions"],
        limit=told["limit"],
    )
    with opened_own(session, at) as repository:
        each_told(looking.found(repository, wanted), looking.list_line, json=json)
    return 0


def create(session: Session, *, bucket: str, owner: str, versions: bool, **at: Any) -> int:  # noqa: ANN401
    with opened(session, at) as repository:
        changing.create(repository, bucket, owner, versions=versions)
    say(f"{clean(bucket)} is made; it belongs to {clean(owner)}.")
    return 0


def cp(
    session: Session,
    *,
    source: str,
    target: str,
    token: int | None,
    json: bool,
    **at: Any,  # noqa: ANN401
) -> int:
    with opened(session, at) as repository:
        made = changing.copy(repository, source, target, Condition(token=token))
    return answered(place.row(made), f"{made.bucket}/{made.key}  {amount(made.size)}", json=json)


def restore(session: Session, *, version: str, token: int | None, json: bool, **at: Any) -> int:  # noqa: ANN401
    named = at.pop("place")
    with opened(session, at) as repository:
        made = changing.restore(repository, named, version, Condition(token=token))
    return answered(place.row(made), f"{named} is again as version {version} had it", json=json)


def rm(session: Session, *, version: str, recursive: bool, token: int | None, **at: Any) -> int:  # noqa: ANN401
    named = at.pop("place")
    if recursive and (version or token is not None):
        raise UsageError("--recursive: a version or a token is of one key")
    with opened(session, at) as repository:
        if recursive:
            number = sum(1 for _ in changing.remove_below(repository, named))
            many = "object is" if number == 1 else "objects are"
            say(f"{number:,} {many} deleted below {clean(named)}")
        else:
            say(clean(changing.remove(repository, named, version, Condition(token=token))))
    return 0


def lock(
    session: Session,
    *,
    owner: str,
    seconds: float,
    release: int | None,
    command: str | None,
    json: bool,
    **at: Any,  # noqa: ANN401
) -> int:
    named = at.pop("place")
    with opened_own(session, at) as repository:
        if not place.named(named).key:
            return _leases(repository, named, json=json)
        if release is not None:
            changing.release(repository, named, release)
            say(f"the lease of {clean(named)} is ended")
            return 0
        held = changing.lease(repository, named, owner or place.whoever(), seconds)
        if command:
            return changing.while_held(repository, held, seconds, command)
    row = changing.lease_row(held)
    return answered(row, f"token {held.token}, until {row['until']}", json=json)


def _leases(repository: Repository, named: str, *, json: bool) -> int:
    rows = changing.leases(repository, place.named(named).bucket)
    each_told(rows, changing.lease_line, json=json)
    return 0


def limit(
    session: Session,
    *,
    bucket: str,
    quota: Size | None,
    trash: Duration | None,
    **at: Any,  # noqa: ANN401
) -> int:
    with opened_own(session, at) as repository:
        seconds = None if trash is None else round(trash)
        size = None if quota is None else int(quota)
        found = repository.set_limits(bucket, quota=size, trash_seconds=seconds)
    room = str(Size(found.quota)) if found.quota else "as much as the disk has"
    back = f"can be restored for {Duration(found.trash_seconds)}"
    kept = back if found.trash_seconds else "is gone at once"
    say(f"{clean(bucket)} holds {room}; what is deleted for good {kept}.")
    return 0


def mirror(session: Session, *, folder: str, json: bool, **at: Any) -> int:  # noqa: ANN401
    with opened_own(session, at) as repository, working() as tell:
        done = care.mirrored(repository, folder, tell)
    line = f"{done['copied']:,} versions copied, {amount(done['bytes'])}; {folder} is the same now"
    return answered(done, line, json=json)


def scrub(session: Session, *, bucket: str | None, json: bool, **at: Any) -> int:  # noqa: ANN401
    source = at.pop("source")
    with opened_own(session, at) as repository, working() as tell:
        tell("all bytes are read")
        found = list(care.scrubbed(repository, bucket, source))
    each_told(found, care.finding_line, json=json)
    if not (found or json):
        say("Nothing is damaged or missing.")
    return 1 if any(map(care.is_bad, found)) else 0


def rebuild(session: Session, **at: Any) -> int:  # noqa: ANN401
    with opened_own(session, at) as repository, working() as tell:
        tell("the index is made anew")
        repository.care.rebuild()
    say("The index is made anew.")
    return 0


COMMANDS: Mapping[str, Run] = {
    "ls": ls,
    "du": du,
    "versions": versions,
    "search": search,
    "put": transfers.put,
    "get": transfers.get,
    "fetch": transfers.fetch,
    "import": transfers.import_folder,
    "create": create,
    "cp": cp,
    "restore": restore,
    "rm": rm,
    "lock": lock,
    "watch": keeping.watch,
    "retain": keeping.retain,
    "trash ls": keeping.trash_ls,
    "trash restore": keeping.trash_restore,
    "trash empty": keeping.trash_empty,
    "limit": limit,
    "mirror": mirror,
    "scrub": scrub,
    "rebuild": rebuild,
    "serve": alone.serve,
    "key create": alone.key_create,
    "key ls": alone.key_ls,
    "key rm": alone.key_rm,
}
