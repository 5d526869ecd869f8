"""Regular expressions as the store's engine reads them: time grows with the text, never explodes.

The engine is Rust's, which polars brings: no backtracking, so neither look-around nor back
references. Python's `re` is no part of it: `(a+)+$` would keep it busy for years.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polars.series.string import StringNameSpace

LONGEST = 500  # characters of a pattern
MOST_REPEATS = 1000  # of all counted repetitions of a pattern together, multiplied
_COUNTED = re.compile(r"\\.|\{([0-9]*)(?:,([0-9]*))?\}", re.DOTALL)
_INDENT = 4  # of the engine's message
_MARK = ("\ue000", "\ue001")  # of a private area, so that they stand for nothing else


def problem_of(pattern: str) -> tuple[int, str] | None:
    """Where and why a pattern is refused; None when it is fine."""
    if len(pattern) > LONGEST:
        return LONGEST, f"a regular expression of {len(pattern)} characters, allowed are {LONGEST}"
    if (at := _too_many(pattern)) is not None:
        return at, f"repetitions that multiply to more than {MOST_REPEATS}"
    from polars.exceptions import ComputeError  # noqa: PLC0415 - see `_engine`

    try:
        _engine("").contains(pattern)
    except ComputeError as error:
        return _explained(str(error))
    return None


def _engine(text: str) -> "StringNameSpace":
    import polars as pl  # noqa: PLC0415 - takes 0.2 s, and few queries have a regular expression

    return pl.Series([text]).str


def searched(pattern: str, text: str) -> bool:
    return bool(_engine(text).contains(pattern)[0])


def marked(pattern: str, text: str, begin: str, end: str) -> str:
    """The text with every match of a pattern between two marks."""
    between = _engine(text).replace_all(pattern, f"{_MARK[0]}${{0}}{_MARK[1]}")[0]
    return str(between).replace("".join(_MARK), "").replace(_MARK[0], begin).replace(_MARK[1], end)


def _too_many(pattern: str) -> int | None:
    product = 1
    for found in _COUNTED.finditer(pattern):
        counts = [int(count) for count in found.groups() if count and len(count) < LONGEST]
        product *= max(counts, default=1) or 1
        if product > MOST_REPEATS:
            return found.start()
    return None


def _explained(says: str) -> tuple[int, str]:
    """The engine's message has the pattern, a line with a caret, and `error: …`."""
    lines = says.splitlines()
    caret = next((line for line in lines if line.strip() and not line.strip(" ^")), "")
    reason = next((line for line in lines if line.startswith("error: ")), lines[0])
    reason = reason.removeprefix("error: ").removeprefix("regex error: ").rstrip(".")
    return max(0, caret.find("^") - _INDENT), f"this is no regular expression we know: {reason}"
