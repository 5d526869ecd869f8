"""Addresses to listen on, as settings name them: `127.0.0.1:8080`, `[::]:80`, `localhost:80`."""

import ipaddress
import re

# Addresses that mean every interface, and where one finds them from this host.
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - others may listen everywhere
_HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_LISTEN = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:]+)\]|(?P<host>[^\[\]:/\s]+)):(?P<port>[0-9]{1,5})")
_LAST_PORT = 65535
_HOST_LENGTH = 253


def address_of(listen: str) -> tuple[str, int] | None:
    """Host and port of a listen address; None when it is none."""
    found = _LISTEN.fullmatch(listen)
    if not found or not 1 <= int(found["port"]) <= _LAST_PORT:
        return None
    host = found["six"] or found["host"].lower()
    return (host, int(found["port"])) if _is_ip(host) or is_host_name(host) else None


def is_host_name(host: str) -> bool:
    return len(host) <= _HOST_LENGTH and bool(_HOST_NAME.fullmatch(host))


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
