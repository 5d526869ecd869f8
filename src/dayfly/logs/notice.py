"""Lines of an answer that are no rows: what was left out, and what went wrong halfway."""

from collections.abc import Mapping
from typing import Any

KEY = "notice"


def notice(**told: str) -> dict[str, Any]:
    """A row may have any names and any plain values, so what tells it apart is an object."""
    return {KEY: told}


def noticed(row: Mapping[str, Any]) -> Mapping[str, str]:
    """What a notice says; empty for a row."""
    told = row.get(KEY)
    return told if isinstance(told, dict) else {}
