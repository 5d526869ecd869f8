"""What a gateway shows the other one, and whom it trusts."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

SOON = timedelta(days=30)
CERTIFICATE = "the certificate of this gateway"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """All as PEM."""

    key: bytes = field(repr=False)
    certificate: bytes
    ca: bytes
    until: datetime
    ca_until: datetime
    names: frozenset[str] = frozenset()

    def expiry(self, now: datetime) -> str:
        """What to say of it, when there is something to say."""
        until = min(self.until, self.ca_until)
        what = "the CA of this gateway's certificate" if until == self.ca_until else CERTIFICATE
        if self.has_expired(now):
            return f"{what} expired on {until:%Y-%m-%d}"
        return f"{what} expires on {until:%Y-%m-%d}" if until - now < SOON else ""

    def has_expired(self, now: datetime) -> bool:
        return min(self.until, self.ca_until) <= now


def today() -> datetime:
    return datetime.now(UTC)
