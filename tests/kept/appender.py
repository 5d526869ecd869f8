"""python -m kept.appender FOLDER FIRST: append batch after batch and say which are acknowledged.

Batches are numbered; one that was sent before is sent again, as a forwarder does that was not
answered. It goes on until it is killed.
"""

import sys
import threading
from pathlib import Path

from dayfly.logs.store.frame import frame_of
from dayfly.logs.store.line import read
from dayfly.logs.store.settings import Settings
from dayfly.logs.store.store import Store
from kept import numbered

LINES, THREADS = 37, 3
SETTINGS = Settings(rows=300, seconds=0.2, reserve=0, small=3)


def batch(number: int) -> bytes:
    return numbered(range(number * LINES, (number + 1) * LINES), app=f"app{number % 5}")


def send(store: Store, numbers: range) -> None:
    for number in numbers:
        name = f"batch {number}"
        if number % 2:  # every other one as columns, as a large one of documents comes
            store.keep_frame(frame_of(read(batch(number))), batch=name)
        else:
            store.append(batch(number), batch=name)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


def main(folder: str, first: str) -> None:
    with Store(Path(folder), settings=SETTINGS) as store:
        threads = [
            threading.Thread(target=send, args=(store, range(begin, 10**6, THREADS)))
            for begin in range(int(first), int(first) + THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
