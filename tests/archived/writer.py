"""A program that changes an archive, says what it does, and may kill itself at any step.

`python -m archived.writer FOLDER SEED STEP`: STEP counts what it asks of the file system.
"""

import json
import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from archived import put
from dayfly.files.objects import Asked, Named, Versioning
from dayfly.files.repository import Repository

PLAIN, KEPT = "plain", "kept"
KEYS = ("a", "a/b", "c")
CHANGES = 40
STEPS = {
    *("open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.utime"),
    *("sqlite3.connect", "shutil.rmtree", "fcntl.flock"),
}


@dataclass(frozen=True)
class Change:
    """`id` is of the version that was made, or is to be deleted."""

    kind: str  # put, upload, tags, delete, delete version
    bucket: str
    key: str
    content: str = ""
    id: str = ""


def killed_at(step: int) -> Callable[[str, object], None]:
    left = [step]

    def hook(event: str, _: object) -> None:
        if event in STEPS:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return hook


def changes(repository: Repository, chance: random.Random) -> Iterator[Change]:
    for number in range(CHANGES):
        bucket, key = chance.choice((PLAIN, KEPT)), chance.choice(KEYS)
        kind = chance.choice(("put", "put", "put", "upload", "tags", "delete", "delete version"))
        content = f"{number} " * chance.choice((1, 1000))
        if kind in {"delete version", "tags"}:
            page = repository.list_versions(bucket, Asked(prefix=key, limit=1))
            if not page.entries or (kind == "tags" and page.entries[0].marker):
                continue
            entry = page.entries[0]
            yield Change(kind, bucket, entry.key, content.strip(), entry.id)
        else:
            yield Change(kind, bucket, key, "" if kind == "delete" else content)


def made(repository: Repository, change: Change) -> str:
    """The id of the version that came of it."""
    bucket, key = change.bucket, change.key
    match change.kind:
        case "put":
            return put(repository, key, change.content.encode(), bucket=bucket).id
        case "upload":
            upload = repository.begin_upload(bucket, key)
            with repository.stage(bucket) as staged:
                staged.write(change.content.encode())
                part = repository.put_part(upload, 1, staged)
            return repository.complete(upload, [Named(number=1, etag=part.etag)]).id
        case "tags":
            tags = {"kind": change.content}
            return repository.set_tags(bucket, key, change.id, tags).id
        case "delete":
            return repository.delete(bucket, key).id
        case _:
            return repository.delete(bucket, key, change.id).id


def main(folder: Path, seed: int, step: int) -> None:
    repository = Repository(folder / "tree", folder / "index")
    if not repository.buckets():
        repository.create_bucket(PLAIN, owner="ann")
        repository.create_bucket(KEPT, owner="ann")
        repository.set_versioning(KEPT, Versioning.ENABLED)
    print("ready", flush=True)  # noqa: T201
    sys.addaudithook(killed_at(step))
    for change in changes(repository, random.Random(seed)):
        print(json.dumps(asdict(change)), flush=True)  # noqa: T201
        print(json.dumps(made(repository, change)), flush=True)  # noqa: T201
    repository.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
