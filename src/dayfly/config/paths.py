"""Paths inside an app's own folder, as its settings name them."""

from pathlib import PurePosixPath

from dayfly.config.read import shown

_IN_NO_MOUNT = ":,\\"  # they separate the parts of a mount
_GLOBS = "*?[]"


def inside_problem(path: str, *, globs: bool = False) -> str | None:
    """What is wrong with a path that has to stay inside the app's folder."""
    parts = PurePosixPath(path).parts
    if path.startswith("/") or not parts or ".." in parts:
        return f"found {shown(path)}, allowed is a path inside the app's own folder"
    if parts[0].startswith("~"):
        return f"found {shown(path)}; ~ means nothing here, write the path inside the app's folder"
    forbidden = _IN_NO_MOUNT if globs else _IN_NO_MOUNT + _GLOBS
    if any(sign in forbidden or not sign.isprintable() for sign in path):
        return f"found {shown(path)}; a path here has none of {' '.join(forbidden)}"
    return None


def overlap(one: str, other: str) -> bool:
    """Whether two paths are the same or one lies in the other."""
    first, second = PurePosixPath(one), PurePosixPath(other)
    return first.is_relative_to(second) or second.is_relative_to(first)
