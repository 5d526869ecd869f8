"""Whether a reader gets the object, or is told that it has it, or that it is another one."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from dayfly.clock import SECOND

Outcome = Literal["go", "not modified", "failed"]


def outcome(headers: Mapping[str, str], etag: str, modified: int, prefix: str = "") -> Outcome:
    """By RFC 9110's order: a match of ETags outweighs times. `prefix` is of a copy's source."""
    match = headers.get(f"{prefix}if-match")
    none_match = headers.get(f"{prefix}if-none-match")
    whole = modified // SECOND  # what HTTP's dates can tell
    if match is not None:
        if not matches(match, etag):
            return "failed"
    elif (since := instant(headers.get(f"{prefix}if-unmodified-since"))) and whole > since:
        return "failed"
    if none_match is not None:
        return "not modified" if matches(none_match, etag) else "go"
    since = instant(headers.get(f"{prefix}if-modified-since"))
    return "not modified" if since and whole <= since else "go"


def matches(header: str, etag: str) -> bool:
    told = (each.strip().removeprefix("W/").strip('"') for each in header.split(","))
    return any(each in ("*", etag) for each in told)


def instant(text: str | None) -> float | None:
    """None for what is no date, which is then as if it were not there."""
    if not text:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None
