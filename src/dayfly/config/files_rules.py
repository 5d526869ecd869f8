"""What the [files] of a well-formed environment.toml may still not say."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from dayfly.config.environment import Files
from dayfly.config.problem import Problem
from dayfly.config.read import shown

OWN = "archive"  # the folder in DAYFLY_HOME
MOST_WORKERS = 64


def files_problems(files: Files) -> Iterator[Problem]:
    store = PurePosixPath(files.store)
    if files.store != OWN and not (store.is_absolute() and ".." not in store.parts[1:]):
        allowed = f'"{OWN}", which lies in DAYFLY_HOME, and the path of a folder from / on'
        yield Problem(("files", "store"), f"found {shown(files.store)}, allowed are {allowed}")
    if not 1 <= files.workers <= MOST_WORKERS:
        says = f"found {files.workers}, allowed are 1 to {MOST_WORKERS}"
        yield Problem(("files", "workers"), says)
