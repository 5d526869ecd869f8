"""python -m kept.deleter FOLDER: delete one app after the other while batches come in, and say so.

`begin 3`, `done 3 1000` and `taken 17` are said when it is so. It goes on until it is killed.
"""

import sys
import threading
from pathlib import Path

from dayfly.logs.query import tree
from dayfly.logs.store.store import Store
from kept import numbered
from kept.appender import SETTINGS, batch

APPS, EACH = 12, 400


def doomed(app: int) -> tree.Node:
    return tree.Compare("app", "=", f"doomed{app}")


def fill(store: Store) -> None:
    """Records that are to go, in as many segments as there are rounds, and in memory."""
    for number in range(4):
        for app in range(APPS):
            numbers = range(number * EACH // 4, (number + 1) * EACH // 4)
            store.append(numbered(numbers, app=f"doomed{app}", begin=10**15))
        if number < 3:
            store.seal()


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def send(store: Store) -> None:
    for number in range(10**6):
        store.append(batch(number), batch=f"batch {number}")
        say(f"taken {number}")


def main(folder: str) -> None:
    with Store(Path(folder), settings=SETTINGS) as store:
        threading.Thread(target=send, args=(store,)).start()
        for app in range(APPS):
            say(f"begin {app}")
            say(f"done {app} {store.delete(doomed(app)).records}")


if __name__ == "__main__":
    main(sys.argv[1])
