"""The certificate that the server shows, of the environment's own CA."""

from pathlib import Path
from urllib.parse import urlsplit

from dayfly.config.address import EVERYWHERE, address_of
from dayfly.config.environment import Api
from dayfly.config.home import Home
from dayfly.durable import write_atomically
from dayfly.tunnel.authority import Authority, read_credentials
from dayfly.tunnel.credentials import SOON, today

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def certified(home: Home, api: Api) -> Path:
    """Where it lies; a new one where it soon ends or names other addresses than these."""
    path, wanted = home.certificate, names(api)
    if path.exists():
        found = read_credentials(path)
        if found.until - today() > SOON and set(wanted) <= found.names:
            return path
    write_atomically(path, Authority(home.ca).issue(*wanted, now=today()))
    return path


def names(api: Api) -> list[str]:
    """What the server is called: as it listens, as people reach it, and on its own machine."""
    listen = address_of(api.listen)
    host = listen[0] if listen and listen[0] not in EVERYWHERE else "localhost"
    public = urlsplit(api.address or "").hostname
    return list(dict.fromkeys([host, *([public] if public else []), *LOOPBACK]))
