"""What a gateway shows the other one, and whom it trusts."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

SOON = timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """All as PEM."""

    key: bytes = field(repr=False)
    certificate: bytes
    ca: bytes
    until: datetime
    names: frozenset[str] = frozenset()

    def expiry(self, now: datetime) -> str:
        """What to say of it, when there is something to say."""
        if self.until <= now:
            return f"the certificate of this gateway expired on {self.until:%Y-%m-%d}"
        if self.until - now < SOON:
            return f"the certificate of this gateway expires on {self.until:%Y-%m-%d}"
        return ""


def today() -> datetime:
    return datetime.now(UTC)
