"""Lines of an answer that are no rows: what was left out, and what went wrong halfway."""

from collections.abc import Mapping
from typing import Any

KEY = "notice"


def notice(**told: str) -> dict[str, Any]:
    """A row may have any names, such as those of `| fields cut`; this one tells it apart."""
    return {**told, KEY: True}


def is_notice(row: Mapping[str, Any]) -> bool:
    return row.get(KEY) is True
