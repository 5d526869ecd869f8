"""Prefixes of keys: what a mount puts and deletes is nobody else's."""

from collections.abc import Iterator
from itertools import combinations

from dayfly.config.app import App
from dayfly.config.collecting import globs_of
from dayfly.config.problem import KeyPath, Problem
from dayfly.config.read import shown


def meet(one: str, other: str) -> bool:
    """Whether a key may begin with both."""
    return one.startswith(other) or other.startswith(one)


def prefix_problems(app: App) -> Iterator[Problem]:
    """Those of mounts; others only put there, and may put what they have under one prefix."""
    mounts: list[tuple[KeyPath, str]] = [
        (("files", "mount", path), prefix) for path, prefix in app.files.mount.items()
    ]
    others = [
        ((*table, glob), prefix)
        for table, globs in globs_of(app).items()
        for glob, prefix in globs.items()
    ]
    pairs = [*combinations(mounts, 2), *((one, other) for one in mounts for other in others)]
    for (mount, prefix), (at, second) in pairs:
        if meet(prefix, second):
            says = (
                f"found the prefix {shown(second)}, and {shown(prefix)} is that of the mount "
                f"{shown(mount[-1])}, which deletes there what it has not; name another one"
            )
            yield Problem(at, says)
