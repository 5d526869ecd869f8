"""Where a host is reached: what a person types, read into a value."""

import re
from dataclasses import dataclass

from dayfly.errors import DayflyError, UsageError

_ADDRESS = re.compile(
    r"(?:(?P<user>[a-z_][a-z0-9_.-]*)@)?"
    r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<host>[A-Za-z0-9][A-Za-z0-9._-]*))"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
_PORT = re.compile(r"(?P<port>[0-9]{1,5})(?:/(?P<protocol>tcp|udp))?")
_MOST = 65_535


class HostError(DayflyError):
    """A host can't be reached, or can't become what it is to be."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """What is not said here is as ssh's own configuration says."""

    host: str
    user: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user + '@' if self.user else ''}{host}{f':{self.port}' if self.port else ''}"


def address_of(text: str) -> Address:
    found = _ADDRESS.fullmatch(text)
    port = int(found["port"]) if found and found["port"] else None
    if not found or port == 0 or (port or 1) > _MOST:
        raise UsageError(
            f"{text!r} is no address of a host",
            hint="Allowed are HOST, USER@HOST and USER@HOST:PORT, such as deploy@10.8.0.5;"
            " IPv6 as deploy@[fd00::5].",
        )
    return Address(host=found["v6"] or found["host"], user=found["user"], port=port)


def opening_of(text: str) -> str:
    """A port that the firewall lets in, as nftables writes it."""
    found = _PORT.fullmatch(text)
    if not found or not 0 < int(found["port"]) <= _MOST:
        raise UsageError(f"{text!r} is no port", hint="Allowed are 8443, 8443/tcp and 500/udp.")
    return f"{found['protocol'] or 'tcp'} dport {int(found['port'])} accept"
