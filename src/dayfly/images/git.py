"""Git, asked so that no setting, hook or variable of the machine changes the answer."""

import re
from collections.abc import Sequence
from pathlib import Path

from dayfly.command import Setting, output_of
from dayfly.errors import DayflyError

SECONDS = 600.0
LONGEST_NAME = 250  # what a file name can hold

_REPOSITORY_VARIABLES = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_PREFIX",
    "GIT_CONFIG_PARAMETERS",
)  # fmt: skip  # set by git for its hooks; they would redirect us
_ALWAYS = ("GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C.UTF-8")
_NOBODYS = ("GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1")
_SAFE = ("-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
_ID = re.compile(r"[0-9a-f]{40}")


class SourceError(DayflyError):
    """A repository, a bundle or a name in it is not what a release can be made of."""


def git(repository: Path, *words: str, users: bool = False, variables: Sequence[str] = ()) -> str:
    """What `git words…` prints in `repository`; CommandError with git's words when it fails.

    `users` keeps the settings of the person at the keyboard (identity, ignored files): right in
    their own working tree, wrong on the server.
    """
    unset = [word for name in _REPOSITORY_VARIABLES for word in ("-u", name)]
    settings = [*_ALWAYS, *([] if users else _NOBODYS), *variables]
    return output_of(
        ["env", *unset, *settings, "git", *_SAFE, "-C", str(repository), *words],
        setting=Setting(umask=0o022),
        seconds=SECONDS,
    )


def is_id(text: str) -> bool:
    """A full commit id."""
    return _ID.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """May `text` name a branch, a tag or a (short) commit id? Git's expressions are no names."""
    return (
        0 < len(text) <= LONGEST_NAME
        and not text.startswith(("-", "/", "."))
        and not text.endswith(("/", ".", ".lock"))
        and not any(part in text for part in ("..", "@{", "//", "/."))
        and text != "@"
        and not any(letter in ' ~^:?*[\\"' or not letter.isprintable() for letter in text)
    )
