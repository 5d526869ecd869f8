"""What this S3 keeps: writers race for it, before anybody relies on it."""

import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from dayfly.files.condition import ANY, Condition
from dayfly.files.errors import ConditionError, FilesError
from dayfly.files.mount import Mount
from dayfly.files.objects import Asked
from dayfly.files.remote.remote import Remote

RACERS, ROUNDS = 8, 3


def raced(remote: Remote) -> Mount:
    """FilesError where it can't be reached, or does not let us read, write and delete."""
    bucket, key = remote.elsewhere.bucket, f".dayfly-probe-{secrets.token_hex(8)}"
    try:
        first = [_wins(remote, bucket, f"{key}-{number}", new=True) for number in range(ROUNDS)]
        later = [_wins(remote, bucket, f"{key}-{number}", new=False) for number in range(ROUNDS)]
    finally:
        _clear(remote, bucket, key)
    return verdict([*first, *later])


def _clear(remote: Remote, bucket: str, prefix: str) -> None:
    """Also from among the versions."""
    for entry in remote.list_versions(bucket, Asked(prefix=prefix)).entries:
        remote.delete(bucket, entry.key, entry.id)


def verdict(winners: Sequence[int], racers: int = RACERS) -> Mount:
    """How many of the racers won, in each round."""
    wrong = next((each for each in winners if each != 1), 1)
    if wrong == 1:
        return Mount()
    return Mount(exclusive=False, why=f"{wrong} of {racers} writers won one condition")


def _wins(remote: Remote, bucket: str, key: str, *, new: bool) -> int:
    """Of writers that all want the same condition."""
    condition = Condition(if_none_match=(ANY,))
    if not new:
        condition = Condition(if_match=(remote.head(bucket, key).etag,))
    barrier = Barrier(RACERS)

    def race(number: int) -> bool:
        with remote.stage(bucket) as staged:
            staged.write(b"%d %d" % (new, number))
            barrier.wait(60)
            return _won(lambda: remote.put(staged, key, condition=condition))

    with ThreadPoolExecutor(RACERS) as pool:
        return sum(pool.map(race, range(RACERS)))


def _won(put: Callable[[], object]) -> bool:
    try:
        put()
    except ConditionError:
        return False
    except FilesError as error:
        if "NotImplemented" in error.message:  # it says so itself
            return False
        raise
    return True
