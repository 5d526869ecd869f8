"""A process whose threads all write one key at once, when told: `python -m archived.racer …`."""

import sys
import threading
from pathlib import Path

from archived import put
from dayfly.files.condition import Condition
from dayfly.files.errors import ConditionError
from dayfly.files.repository import Repository


def main(folder: Path, name: str, threads: int) -> None:
    """Reads a line for each trial, the ETag that the object has or `-`; prints who won.

    No two trials write the same bytes, since who writes what is there already changes no ETag.
    """
    repository = Repository(folder / "tree", folder / "index")
    print("ready", flush=True)  # noqa: T201
    for number, line in enumerate(sys.stdin):
        etag = line.strip()
        condition = Condition(if_none_match=("*",)) if etag == "-" else Condition(if_match=(etag,))
        barrier, won = threading.Barrier(threads), list[str]()

        def write(who: str, trial: int, asked: Condition) -> None:
            barrier.wait()  # noqa: B023 - joined before it is another
            try:
                put(repository, f"key {trial}", who.encode(), condition=asked)
            except ConditionError:
                return
            won.append(who)  # noqa: B023 - as above

        writers = [
            threading.Thread(target=write, args=(f"{name}-{each}-{number}", number // 2, condition))
            for each in range(threads)
        ]
        for each in writers:
            each.start()
        for each in writers:
            each.join()
        print(" ".join(won), flush=True)  # noqa: T201
    repository.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
