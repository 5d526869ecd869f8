"""[tunnel] of environment.toml: two sites, and which of them this gateway is of."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class TunnelSite:
    """One end: a gateway on the internet, and the private networks behind it."""

    networks: tuple[str, ...] = ()
    gateway: str | None = None  # None: its address changes, so it is the one that calls
    identity: str | None = None  # the name of the site
    probe: str | None = None  # a private address that answers a ping
    allow: tuple[str, ...] | None = None  # what the other site may reach here; None: everything
    aws: str | None = None  # what AWS offers for download, relative to DAYFLY_HOME


@dataclass(frozen=True, kw_only=True)
class Tunnel:
    here: str
    secret: str | None = None  # a pre-shared key, of the app `dayfly`; without one: certificates
    required: bool = False  # a release is refused while it is down
    site: dict[str, TunnelSite] = field(default_factory=dict)

    @property
    def there(self) -> str:
        """The name of the other site."""
        return next(name for name in self.site if name != self.here)
