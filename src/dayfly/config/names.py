"""Which names are allowed, and what to say about one that is not."""

import re
from collections.abc import Iterable, Iterator

from dayfly.config.problem import KeyPath, Problem
from dayfly.config.read import shown

LONGEST = 31
OPERATOR = "dayfly"  # the app whose secrets are the operator's own, for environment.toml
_NAME = re.compile(rf"[a-z][a-z0-9-]{{0,{LONGEST - 1}}}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_SECRET = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


def name_problem(name: str) -> str | None:
    """What is wrong with the name of an app, a process, a job or an environment."""
    if _NAME.fullmatch(name):
        return None
    return (
        f"found the name {shown(name)}, allowed are a to z, 0 to 9 and -, a letter first,"
        f" {LONGEST} characters at most"
    )


def secret_problem(name: str) -> str | None:
    """What is wrong with the name of a secret."""
    if not _SECRET.fullmatch(name):
        return f"found the name {shown(name)}, allowed are A to Z, 0 to 9 and _, no digit first"
    return _reserved(name)


def variable_problem(name: str) -> str | None:
    """What is wrong with the name of an environment variable."""
    if not _VARIABLE.fullmatch(name):
        return f"found the name {shown(name)}, allowed are letters, 0 to 9 and _, no digit first"
    return _reserved(name)


def bucket_problem(name: str) -> str | None:
    """What is wrong with the name of an app's bucket."""
    if _BUCKET.fullmatch(name):
        return None
    return (
        f"found the name {shown(name)}, allowed are a to z, 0 to 9 and -, 3 to 63 characters,"
        " none of them - at either end"
    )


def reserved(name: str) -> bool:
    """Of Dayfly's own secrets, which nobody else sets or sees."""
    return name.startswith("DAYFLY_")


def named(path: KeyPath, names: Iterable[str]) -> Iterator[Problem]:
    """The problems of names that are keys of a table."""
    for name in names:
        if says := name_problem(name):
            yield Problem((*path, name), says)


def _reserved(name: str) -> str | None:
    if name == "PORT" or reserved(name):
        return f"{name} is set by Dayfly itself; choose another name"
    return None
