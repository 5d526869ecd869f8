"""PostgreSQL's table locks: how strong they are, and whom they make wait."""

from collections.abc import Iterable, Mapping

NONE = ""
# Weakest first; the names are those of pg_locks without their "Lock".
MODES = (
    "AccessShare",
    "RowShare",
    "RowExclusive",
    "ShareUpdateExclusive",
    "Share",
    "ShareRowExclusive",
    "Exclusive",
    "AccessExclusive",
)
_STRENGTH = {mode: strength for strength, mode in enumerate(MODES, start=1)}

READERS_TOO, WRITERS, NOBODY = "readers and writers", "writers", ""


def strength(mode: str) -> int:
    return _STRENGTH.get(mode, 0)


def strongest(modes: Iterable[str]) -> str:
    return max(modes, key=strength, default=NONE)


def blocks(mode: str) -> str:
    """Whom a lock makes wait."""
    if mode == "AccessExclusive":
        return READERS_TOO
    return WRITERS if strength(mode) >= strength("Share") else NOBODY


def raised(before: Mapping[int, str], after: Mapping[int, str]) -> dict[int, str]:
    """The locks that are new, or stronger than before."""
    return {
        relation: mode
        for relation, mode in after.items()
        if strength(mode) > strength(before.get(relation, NONE))
    }


def words(mode: str) -> str:
    """As PostgreSQL's manual writes it: ACCESS EXCLUSIVE."""
    letters = (f" {letter}" if letter.isupper() else letter for letter in mode)
    return "".join(letters).strip().upper()
