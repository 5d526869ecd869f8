"""Requirement files of pip, as far as which other files they name."""

import posixpath
import re
import shlex
from collections.abc import Callable

from dayfly.errors import DayflyError

Read = Callable[[str], str | None]  # the text of a regular file of the source, or None

_PLAIN = re.compile(
    r"[A-Za-z0-9_][A-Za-z0-9_.+@-]*"
)  # a part of a path no tool reads anything into
_FILES = frozenset({"-r", "--requirement", "-c", "--constraint"})
_HARMLESS = frozenset({
    "-i", "--index-url", "--extra-index-url", "--no-index", "--only-binary", "--no-binary",
    "--prefer-binary", "--require-hashes", "--pre", "--trusted-host", "--hash",
    "--use-feature", "--config-settings",
})  # fmt: skip
_ARCHIVES = (".whl", ".zip", ".tar", ".gz", ".bz2", ".xz", ".tgz", ".egg")
_COMMENT = re.compile(r"(^|\s)#.*$")


class UnknownInputsError(DayflyError):
    """It cannot be told which files are read."""

    def __init__(self) -> None:
        super().__init__("it cannot be told which files are read")


def named_in(path: str, read: Read) -> set[str]:
    """A requirement file and all those it includes; UnknownInputsError when it names code here."""
    found = set[str]()
    waiting = [path]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        text = read(path)
        if text is None:
            raise UnknownInputsError
        found.add(path)
        for line in _lines(text):
            waiting += _included(line, posixpath.dirname(path))
    return found


def is_elsewhere(requirement: str) -> bool:
    """It comes from an index or a URL, not from a file or folder of the source."""
    name = requirement.split(";", 1)[0].strip()
    _, at, url = name.partition("@")
    if "://" in name:
        return "file:" not in name
    if at and ":" in url:
        return False
    return not (
        name.startswith((".", "-")) or "/" in name or "\\" in name or name.endswith(_ARCHIVES)
    )


def plain_path(path: str) -> str:
    """`path` without `./` and `..`; UnknownInputsError when it is odd or leads outside."""
    normal = posixpath.normpath(path)
    parts = normal.split("/")
    if not path or not all(_PLAIN.fullmatch(part) for part in parts):
        raise UnknownInputsError
    return normal


def _lines(text: str) -> list[str]:
    joined = re.sub(r"\\\r?\n", " ", text.removeprefix("\ufeff"))
    stripped = (_COMMENT.sub("", line).strip() for line in joined.splitlines())
    return [line for line in stripped if line]


def _included(line: str, folder: str) -> list[str]:
    if not line.startswith("-"):
        if "${" in line or not is_elsewhere(line.split(" --", 1)[0]):
            raise UnknownInputsError
        return []
    option, value = _option(line)
    if option in _FILES:
        if "://" in value:
            raise UnknownInputsError
        return [plain_path(posixpath.join(folder, value))]
    if option not in _HARMLESS:
        raise UnknownInputsError
    return []


def _option(line: str) -> tuple[str, str]:
    """`-r x`, `-rx`, `--requirement x`, `--requirement=x` → the option, its value."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UnknownInputsError from error
    first, value = words[0], " ".join(words[1:])
    if first.startswith("--"):
        option, _, after = first.partition("=")
        return option, after or value
    return first[:2], first[2:] or value
