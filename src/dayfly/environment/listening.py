"""Where a service of an environment listens: as it is told, or at a port that is chosen once."""

import os
import socket
from pathlib import Path

from dayfly.config.address import EVERYWHERE, address_of
from dayfly.config.home import Home, environment_id
from dayfly.durable import locks
from dayfly.errors import DayflyError
from dayfly.machines.ports import Ports


def url_of(listen: str, key: str) -> str:
    """As somebody on this host writes it; `key` is the setting that says so."""
    address = address_of(listen)
    if address is None:
        raise DayflyError(f"{key}: {listen!r} is not host:port")
    host = EVERYWHERE.get(address[0], address[0])
    return f"http://{f'[{host}]' if ':' in host else host}:{address[1]}"


def free_listen(home: Home, port: int, holder: str, *, host: str = "127.0.0.1") -> str:
    """The usual port, claimed for this environment before another one of this host claims it."""
    ports = Ports(environment_id(home))
    ports.free(holder)
    if not ports.claim(port, holder):
        port = ports.reserve(holder)
    return f"{host}:{port}"


def let_go(home: Home, holder: str) -> None:
    """Of its port."""
    Ports(environment_id(home)).free(holder)


def is_free(listen: str) -> bool:
    try:
        with socket.create_server(address_of(listen) or ("127.0.0.1", 0)):
            return True
    except OSError:
        return False


def is_held(lock: Path) -> bool:
    """Whether a process lives that holds it."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not locks(descriptor)
    finally:
        os.close(descriptor)
