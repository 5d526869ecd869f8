"""What is told of bytes that go into the archive, or come out of it."""

from typing import Any

from dayfly.cli.archive import fetching, getting, moving, place
from dayfly.cli.archive.telling import answered, opened
from dayfly.cli.output import clean, say, working
from dayfly.cli.session import Session
from dayfly.errors import UsageError
from dayfly.files.condition import ANY, Condition
from dayfly.shown import amount


def put(
    session: Session,
    *,
    source: str,
    target: str,
    new: bool,
    token: int | None,
    json: bool,
    **at: Any,  # noqa: ANN401
) -> int:
    condition = Condition(if_none_match=(ANY,) if new else (), token=token)
    with opened(session, at) as repository, working() as tell:
        made = moving.put(repository, source, target, condition, tell)
    return answered(place.row(made), f"{made.bucket}/{made.key}  {amount(made.size)}", json=json)


def get(
    session: Session,
    *,
    source: str,
    target: str,
    version: str,
    json: bool,
    **at: Any,  # noqa: ANN401
) -> int:
    if json and getting.is_output(target):
        raise UsageError("--json: standard output is for the object", hint="Name a file.")
    with opened(session, at) as repository, working() as tell:
        found = getting.get(repository, source, target, version, tell)
    if getting.is_output(target):
        return 0
    return answered(place.row(found), f"{found.key}  {amount(found.size)}", json=json)


def fetch(
    session: Session,
    *,
    url: str,
    target: str,
    new: bool,
    token: int | None,
    json: bool,
    **told: Any,  # noqa: ANN401
) -> int:
    expected = fetching.Expected(checksum=told.pop("checksum") or "", most=told.pop("most"))
    condition = Condition(if_none_match=(ANY,) if new else (), token=token)
    with opened(session, told) as repository, working() as tell:
        done = fetching.fetch(repository, url, target, expected, condition, tell)
    made = done.version
    line = f"{made.bucket}/{made.key}  {amount(made.size)}"
    row = {**place.row(made), "unchanged": done.unchanged}
    return answered(row, f"{line}{', unchanged' if done.unchanged else ''}", json=json)


def import_folder(session: Session, *, folder: str, target: str, json: bool, **at: Any) -> int:  # noqa: ANN401
    with opened(session, at) as repository, working() as tell:
        done = moving.import_folder(repository, folder, target, tell)
    files = "file" if done.put == 1 else "files"
    stored = f"{done.put:,} {files} stored, {amount(done.bytes)}"
    answered(done.as_json(), f"{stored}; there already: {done.same:,}", json=json)
    if not json:
        say(*(f"left out: {clean(problem)}" for problem in done.problems))
    return 1 if done.problems else 0
