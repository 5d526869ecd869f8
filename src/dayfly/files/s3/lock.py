"""Object lock as it is written: a bucket's default, the retention and the hold of a version."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from dayfly.clock import DAY, SECOND
from dayfly.files.s3.problem import S3Error
from dayfly.files.s3.xmlread import Element, element_of, malformed
from dayfly.files.s3.xmlwrite import around, document, tags

MODES = ("GOVERNANCE", "COMPLIANCE")
LATEST = 253_402_300_799 * SECOND  # the year 9999 is the last that a date is written of
MOST: Mapping[str, int] = {"Days": 36_500, "Years": 100}


class Default(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of a bucket with object lock; without a mode nothing is retained by itself."""

    mode: str = ""
    days: int | None = None
    years: int | None = None

    def until(self, now: int) -> int:
        """In nanoseconds since the epoch; what was told before MOST was known may be longer."""
        days = self.days if self.days is not None else 365 * (self.years or 0)
        return min(now // SECOND * SECOND + days * DAY, LATEST)


def default_of(body: bytes) -> Default:
    root = element_of(body, "ObjectLockConfiguration").only("ObjectLockEnabled", "Rule")
    if root.said("ObjectLockEnabled") != "Enabled":
        raise malformed("<ObjectLockEnabled> must be Enabled.")
    rule = root.first("Rule")
    if rule is None:
        return Default()
    told = rule.only("DefaultRetention").first("DefaultRetention")
    if told is None:
        raise malformed("<Rule> has no <DefaultRetention>.")
    told.only("Mode", *MOST)
    days, years = _period(told, "Days"), _period(told, "Years")
    if (days is None) == (years is None):
        raise malformed("Either <Days> or <Years> must be there.")
    return Default(mode=_mode(told), days=days, years=years)


def default_xml(default: Default) -> bytes:
    rule = tags(Mode=default.mode, Days=default.days, Years=default.years)
    return document(
        "ObjectLockConfiguration",
        tags(ObjectLockEnabled="Enabled"),
        around("Rule", around("DefaultRetention", rule)) if default.mode else "",
    )


def retention_of(body: bytes) -> tuple[str, int]:
    """The mode, and until when; ("", 0) takes it away."""
    root = element_of(body, "Retention").only("Mode", "RetainUntilDate")
    if not root.children:
        return "", 0
    return _mode(root), instant(root.need("RetainUntilDate"))


def hold_of(body: bytes) -> bool:
    return held(element_of(body, "LegalHold").only("Status").need("Status"))


def held(status: str) -> bool:
    if status not in ("ON", "OFF"):
        raise malformed(f"The legal hold is {status[:40]!r}, allowed are ON and OFF.")
    return status == "ON"


def mode_of(text: str) -> str:
    if text not in MODES:
        raise S3Error("InvalidArgument", f"Unknown wormMode directive {text[:40]!r}.")
    return text


def instant(text: str) -> int:
    """ISO 8601 in nanoseconds since the epoch."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise S3Error("InvalidArgument", "The retain until date must be ISO 8601.") from error
    at = round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()) * SECOND
    if at > LATEST:
        raise S3Error("InvalidArgument", "The retain until date must be before the year 10000.")
    return at


def _mode(told: Element) -> str:
    mode = told.need("Mode")
    if mode not in MODES:
        raise malformed(f"<Mode> is {mode[:40]!r}, allowed are GOVERNANCE and COMPLIANCE.")
    return mode


def _period(told: Element, name: str) -> int | None:
    text = told.said(name)
    if text is None:
        return None
    if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        raise malformed(f"<{name}> must be a number.")
    if not 1 <= int(text) <= MOST[name]:
        raise S3Error("InvalidRetentionPeriod", f"<{name}> must be from 1 to {MOST[name]}.")
    return int(text)
