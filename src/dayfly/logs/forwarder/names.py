"""What rotation makes of a name: for files that nobody saw before they had one."""

import re
from pathlib import Path

_DATE = (
    r"(?:\d{4}[-_.]\d\d(?:[-_.]\d\d)?|\d\d[-_.]\d\d[-_.]\d{4}"
    r"|\d\d?-[A-Z][a-z]{2}-\d{4}|\d{6}|\d{8}|\d{10}|\d{12,14})"
)
_CLOCK = r"(?:[-_.T@:+ ]{1,2}\d{1,10}|Z)"  # also a number that follows a date
_DATED = rf"[-_.]{{0,2}}{_DATE}{_CLOCK}*"
_NUMBER = r"[.-]\d{1,4}"
_WORD = r"[-_.](?:old|bak|backup|orig|prev|previous|saved?|last|rotated|archived?)[-_.]?\d{0,4}"
_TAG = re.compile(rf"(?:{_DATED}|{_NUMBER}|{_WORD}){{1,3}}|~")
_BEFORE = re.compile(rf"{_DATED}[-_.]")
# svlogd, multilog and s6-log write into `current`, and name what is full by its end.
_CURRENT = "current"
_TAI64N = re.compile(r"@[0-9a-f]{24}(?:\.[sut])?")


def is_rotation(path: Path, base: Path) -> bool:
    return path.parent == base.parent and _is_rotated(path.name, base)


def _is_rotated(name: str, base: Path) -> bool:
    """`app.log.1`, `app.log-20261127`, `app-2026-11-27.log`, `2026-11-27-app.log` of `app.log`."""
    if base.name == _CURRENT and _TAI64N.fullmatch(name):
        return True
    if name.startswith(base.name):
        return bool(_TAG.fullmatch(name[len(base.name) :]))
    if name.endswith(base.name):
        return bool(_BEFORE.fullmatch(name[: -len(base.name)]))
    stem, suffix = base.stem, base.suffix
    if not (name.startswith(stem) and name.endswith(suffix)):
        return False
    return bool(_TAG.fullmatch(name[len(stem) : len(name) - len(suffix)]))
