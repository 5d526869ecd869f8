"""How figures and other people's text are shown, in a terminal and on a page alike."""

import re

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_].*?(?:\x07|\x1b\\|$)|.)", re.DOTALL)
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
TEN, MINUTE = 10, 60  # seconds


def plain(text: object) -> str:
    """Without colour codes of terminals and characters that hide or turn text."""
    return _UNSEEN.sub("", _ESCAPE.sub("", str(text)))


def duration(seconds: float | None, nothing: str = "-") -> str:
    """`34 ms`, `4.20 s`, `12.3 s`, `3 min 05 s`."""
    if seconds is None:
        return nothing
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < MINUTE:
        return f"{seconds:.{2 if seconds < TEN else 1}f} s"
    minutes, rest = divmod(round(seconds), MINUTE)
    return f"{minutes} min {rest:02d} s"
