"""All files of a bucket compared with the index: what a hand did is taken in."""

from dayfly.files.ground import Ground
from dayfly.files.holding import agrees, holding
from dayfly.files.keys import key_of
from dayfly.files.objects import Bucket
from dayfly.files.system import files_below


def survey(ground: Ground, bucket: Bucket) -> list[str]:
    """Take in what a hand put, changed or removed; names that no key can have are told."""
    with ground.guarded(bucket.name):
        ground.tree.check(bucket.name)
        return _surveyed(ground, bucket)


def _surveyed(ground: Ground, bucket: Bucket) -> list[str]:
    strange = []
    folder = ground.tree.bucket(bucket.name)
    for path in files_below(folder):
        name = str(path.relative_to(folder))
        key = key_of(name, fold=ground.tree.archive.fold)
        if key is None:
            strange.append(name)
        else:
            _look(ground, bucket, key)
    for (key,) in ground.catalogue.ledger.rows(
        "select key from objects where bucket = ? order by key", bucket.name
    ):
        _look(ground, bucket, key)
    return strange


def _look(ground: Ground, bucket: Bucket, key: str) -> None:
    latest = ground.catalogue.latest(bucket.name, key)
    if not agrees(ground.tree, bucket.name, key, latest):
        with holding(ground, bucket.name, key):
            pass  # who holds a key has looked
