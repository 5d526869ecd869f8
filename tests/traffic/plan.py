"""What is asked of the client: where, which kinds, how much, for how long."""

import ipaddress
import ssl
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit


class PlanError(Exception):
    """A plan that can't be carried out; the message says what is allowed."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of traffic. `rate` is requests per second of all its clients together."""

    name: str
    clients: int = 1
    rate: float = 0.0  # 0: the kind has its own pace (long requests, streams)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(name="get", rate=20),  # a new connection for each request
        Kind(name="post", rate=20),  # the same, with a body and a reference of its own
        Kind(name="keepalive", clients=4, rate=40),  # busy connections, GET and POST
        Kind(name="idle", clients=8),  # reused after 1 to 7 s of silence
        Kind(name="slow", clients=3),  # 10 s until the answer
        Kind(name="upload", clients=2),  # a body that takes seconds to send
        Kind(name="websocket", clients=4),
        Kind(name="events", clients=4),  # numbered server-sent events
        Kind(name="h2", clients=6, rate=30),  # streams side by side on TLS connections
    )
}
OF_ORDERS = ("get", "post", "keepalive", "idle", "h2")


def kinds(*names: str, rate: float | None = None) -> tuple[Kind, ...]:
    """The kinds of these names, all without names; `rate` is shared by those that have one."""
    for name in names:
        if name not in KINDS:
            raise PlanError(f"{name}: no such kind; there are {', '.join(KINDS)}")
    chosen = [KINDS[name] for name in names or KINDS]
    if rate is None:
        return tuple(chosen)
    paced = sum(1 for kind in chosen if kind.rate)
    return tuple(replace(kind, rate=rate / paced) if kind.rate else kind for kind in chosen)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A server on this machine."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`seed` decides every random choice; `seconds` and `limit` bound the run."""

    target: str  # http://127.0.0.1:8080, or https://
    kinds: tuple[Kind, ...] = tuple(KINDS.values())
    seconds: float = 3600.0
    seed: int = 0
    limit: int = 1_000_000  # requests
    dialect: str = "kinds"  # which application answers: kinds | orders
    secure: str | None = None  # https:// address for h2; `target` when that is one
    ca: Path | None = None  # the authority that signed the certificate
    timeout: float = 15.0  # for an answer, beyond what it is asked to take
    stream_budget: float = 60.0  # seconds after a mark in which a stream may not be cut
    idle: tuple[float, float] = (1.0, 7.0)
    slow: float = 10.0
    upload: float = 4.0
    hold: tuple[float, float] = (10.0, 40.0)  # how long websockets and event streams stay

    def __post_init__(self) -> None:
        if self.dialect not in ("kinds", "orders"):
            raise PlanError(f"{self.dialect}: no such dialect; there are kinds, orders")
        if not self.kinds:
            raise PlanError("no kind of traffic; take kinds() for all")
        for kind in self.kinds:
            if self.dialect == "orders" and kind.name not in OF_ORDERS:
                allowed = ", ".join(OF_ORDERS)
                raise PlanError(f"{kind.name}: the order desk answers only {allowed}")
            if kind.name == "h2":
                self.secure_target()
        self.plain_target()

    def plain_target(self) -> Target:
        return _target(self.target, self.ca, ("http/1.1",))

    def secure_target(self) -> Target:
        address = self.secure or self.target
        if not address.startswith("https://"):
            raise PlanError("h2 needs an https:// address in `secure`")
        return _target(address, self.ca, ("h2",))


def _target(address: str, ca: Path | None, protocols: tuple[str, ...]) -> Target:
    url = urlsplit(address)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise PlanError(f"{address}: not an http:// or https:// address")
    if not _is_loopback(url.hostname):
        raise PlanError(f"{address}: this client makes load, and only on its own machine")
    if url.scheme == "http":
        return Target(host=url.hostname, port=url.port or 80)
    context = ssl.create_default_context(cafile=ca)
    context.set_alpn_protocols(protocols)
    return Target(host=url.hostname, port=url.port or 443, tls=context)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
