"""A writer is killed at any step, and what it acknowledged is there, whole, and nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archived import archive, content, every, rows, tree_of
from archived.writer import KEPT, PLAIN, Change
from dayfly.files.objects import NULL, Asked
from dayfly.files.repository import Repository

Versions = list[tuple[str, str | None]]  # id and content, newest first; a marker has none
State = dict[tuple[str, str], Versions]


@dataclass(frozen=True)
class Told:
    """What a writer had said when it was killed."""

    done: Sequence[Change] = ()
    under_way: Change | None = None


@dataclass
class Found:
    problems: list[str] = field(default_factory=list)
    finished: bool = False  # it ended before the step at which it was to be killed
    changes: int = 0


def killed(folder: Path, seed: int, step: int) -> Told:
    argv = [sys.executable, "-m", "archived.writer", str(folder), str(seed), str(step)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run(argv, stdout=subprocess.PIPE, text=True, env=env, check=False).stdout
    lines = [json.loads(line) for line in said.splitlines()[1:]]
    done = [
        Change(**{**change, "id": id_ or change["id"]})
        for change, id_ in zip(lines[::2], lines[1::2], strict=False)
    ]
    return Told(done, Change(**lines[-1]) if len(lines) % 2 else None)


def after(state: State, change: Change) -> State:
    """What a change makes of the versions; of an unknown id it is `?`."""
    versions = state.get((change.bucket, change.key), [])
    id_ = change.id or (NULL if change.bucket == PLAIN else "?")
    if change.kind == "tags":
        return state
    if change.kind == "delete version":
        versions = [each for each in versions if each[0] != change.id]
    elif change.kind == "delete":
        versions = [] if change.bucket == PLAIN else [(id_, None), *versions]
    else:
        kept = versions if change.bucket == KEPT else []
        versions = [(id_, change.content), *kept]
    return {**state, (change.bucket, change.key): versions}


def there(repository: Repository) -> State:
    state: State = {}
    for bucket in (PLAIN, KEPT):
        for entry in every(repository, bucket):
            stored = None
            if not entry.marker:
                stored = content(repository, entry.key, entry.id, bucket).decode()
            state.setdefault((bucket, entry.key), []).append((entry.id, stored))
    return state


def survived(folder: Path, seed: int, step: int) -> Found:
    told = killed(folder, seed, step)
    found = Found(finished=told.under_way is None, changes=len(told.done))
    wanted: State = {}
    for change in told.done:
        wanted = after(wanted, change)
    allowed = [wanted]
    if told.under_way:
        allowed.append(after(wanted, told.under_way))
    with archive(folder) as repository:
        state = there(repository)
        if not any(_same(state, each) for each in allowed):
            found.problems.append(f"{told.under_way}: {state} is none of {allowed}")
        found.problems += _untidy(folder, repository)
        before = rows(repository)
        repository.care.rebuild()
        rebuilt = rows(repository)
        for table in before:
            if (one := before[table]) != (other := rebuilt[table]):
                found.problems.append(f"rebuilt {table}: {set(one) ^ set(other)}")
    return found


def _same(state: State, wanted: State) -> bool:
    for name in state.keys() | wanted.keys():
        some, others = state.get(name, []), wanted.get(name, [])
        ids = [one[0] for one in others if one[0] != "?"]
        if [each[1] for each in some] != [each[1] for each in others]:
            return False
        if any(each not in [one[0] for one in some] for each in ids):
            return False
    return True


def _untidy(folder: Path, repository: Repository) -> list[str]:
    """What lies around and belongs to nothing."""
    found = []
    for bucket in (PLAIN, KEPT):
        entries = every(repository, bucket)
        files = tree_of(folder, bucket)
        page = repository.list(bucket, Asked(limit=10**6))
        if len(files) != len(page.entries):
            found.append(f"{bucket}: {sorted(files)}, but {page.entries} are listed")
        shards = folder / "tree" / ".dayfly" / "versions" / bucket
        sidecars = list(shards.rglob("*.json"))
        kept = [path for path in shards.rglob("*") if path.is_file() and path.suffix != ".json"]
        objects = [each for each in entries if not each.marker]
        if len(sidecars) != len(entries):
            found.append(f"{bucket}: {len(sidecars)} sidecars for {len(entries)} versions")
        if len(kept) != (len(objects) if bucket == KEPT else 0):
            found.append(f"{bucket}: {len(kept)} files kept of {len(objects)} versions")
    staging = list((folder / "tree" / ".dayfly" / "staging").iterdir())
    if [list(each.iterdir()) for each in staging] != [[staging[0] / "lock"]]:
        found.append(f"staging: {staging}")
    return found
