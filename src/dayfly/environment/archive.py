"""The file archive of an environment: where it lies, what its service is told, how it is."""

import http.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from dayfly.config.address import EVERYWHERE, address_of
from dayfly.config.environment import Environment as Settings
from dayfly.config.home import Home
from dayfly.config.secrets import Secrets
from dayfly.durable import write_atomically
from dayfly.environment import elsewhere, filewatches, listening
from dayfly.environment.declared import settings_of
from dayfly.environment.elsewhere import is_elsewhere
from dayfly.environment.listening import free_listen, is_free, is_held, url_of
from dayfly.errors import DayflyError
from dayfly.files import mount, starting
from dayfly.files.tenants import Tenants
from dayfly.machines.container import gateway
from dayfly.machines.engine import Engine

USUAL_PORT = 8083
SOCKET = "balancer.sock"  # where the balancer passes on what comes by the host name
ANSWER_SECONDS = 2.0
_KEEPS = "file archive"  # who holds its port
_INDEX = "index"


@dataclass(frozen=True, kw_only=True)
class Place:
    """`index` is on a local disk, whatever the tree lies on."""

    root: Path
    index: Path
    accounts: Path


def place(home: Home, settings: Settings | None = None) -> Place:
    found = settings or settings_of(home)
    store = Path(found.files.store)
    if is_elsewhere(found):
        raise DayflyError(
            f"the files of this environment are in {found.files.store}",
            hint="Of somebody else's S3 ask what it has: its own tools do what is missing here.",
        )
    root = home.path / store
    own = not store.is_absolute()
    return Place(
        root=root,
        index=root / ".dayfly" / _INDEX if own else home.files / _INDEX,
        accounts=home.files / starting.ACCOUNTS,
    )


def prepare(home: Home, settings: Settings) -> None:
    """Write what the service reads when it starts."""
    if is_elsewhere(settings):
        return
    found = place(home, settings)
    listen = settings.files.listen or _kept_listen(home) or _free_listen(home, settings)
    told = starting.Settings(
        root=str(found.root),
        index=str(found.index),
        accounts=str(found.accounts),
        listen=listen,
        workers=settings.files.workers,
        socket=str(home.files / SOCKET) if settings.files.host else "",
        domains=(settings.files.host,) if settings.files.host else (),
    )
    write_atomically(home.files / starting.SETTINGS, msgspec.json.encode(told))


def url(home: Home) -> str:
    """Its S3 endpoint; empty where it was never started."""
    listen = _told_listen(home)
    return _url(listen) if listen else ""


def state(home: Home) -> dict[str, Any]:
    """As `dayfly status` tells it."""
    settings = settings_of(home)
    told: dict[str, Any] = {"state": "up" if _answers(home) else "down", "url": url(home)}
    if is_elsewhere(settings):
        told = _state_elsewhere(home, settings)
    if public := public_url(settings):
        told["public"] = public
    if settings.files.watch:
        told["watches"] = filewatches.told(home, settings)
    return {**told, "note": said} if (said := note(home, settings)) else told


def _state_elsewhere(home: Home, settings: Settings) -> dict[str, Any]:
    try:
        there = elsewhere.elsewhere_of(home, settings)
    except DayflyError:
        there = None
    up = there is not None and elsewhere.answers(there)
    return {
        "state": "up" if up else "down",
        "url": there.url if there else "",
        "store": settings.files.store,
    }


def note(home: Home, settings: Settings) -> str:
    """What can't be promised where the files lie; empty where all of it can."""
    if is_elsewhere(settings):
        found, name, rest = elsewhere.told(home), settings.files.store, "it has no leases"
    else:
        found, name, rest = mount.told(place(home, settings).index), "the mount", "leases hold"
    if found.exclusive:
        return ""
    return f"the file archive: {name} keeps no conditional writes ({found.why}); {rest}"


def public_url(settings: Settings) -> str:
    """As everybody reaches it through the balancer; empty where nobody does."""
    if not settings.files.host:
        return ""
    https = settings.balancer.https
    scheme, usual = ("https", "443") if https else ("http", "80")
    port = (https.listen if https else settings.balancer.http).rpartition(":")[2]
    return f"{scheme}://{settings.files.host}{'' if port == usual else f':{port}'}"


def tenants(home: Home, settings: Settings) -> Tenants:
    if is_elsewhere(settings):
        return _tenants_elsewhere(home, settings)
    found = place(home, settings)
    return Tenants(
        root=found.root,
        index=found.index,
        accounts=found.accounts,
        secrets=Secrets(home.secrets),
        endpoint=lambda: _endpoint(home, settings),
        public=public_url(settings),
    )


def _tenants_elsewhere(home: Home, settings: Settings) -> Tenants:
    return Tenants(
        root=home.files,
        index=home.files,
        accounts=home.files / starting.ACCOUNTS,
        secrets=Secrets(home.secrets),
        endpoint=lambda: "",
        elsewhere=lambda: elsewhere.elsewhere_of(home, settings),
        opener=lambda there: elsewhere.opened(home, there),
    )


def let_go(home: Home) -> None:
    """Of the port, when the environment is destroyed."""
    listening.let_go(home, _KEEPS)


def _endpoint(home: Home, settings: Settings) -> str:
    """As machines write it."""
    address = address_of(_told_listen(home))
    if address and address[0] in EVERYWHERE and _bridged(settings):
        return f"http://{gateway(Engine())}:{address[1]}"
    return url(home)


def _bridged(settings: Settings) -> bool:
    return settings.runtime == "docker" and settings.docker.network == "bridge"


def _url(listen: str) -> str:
    return url_of(listen, "files.listen")


def _told_listen(home: Home) -> str:
    try:
        return starting.load(home.files).listen
    except DayflyError:
        return ""


def _kept_listen(home: Home) -> str:
    """What was chosen once stays, so that machines find it, unless another program has it now."""
    listen = _told_listen(home)
    return listen if listen and (_runs(home) or is_free(listen)) else ""


def _free_listen(home: Home, settings: Settings) -> str:
    return free_listen(home, USUAL_PORT, _KEEPS, host=_reachable(settings))


def _reachable(settings: Settings) -> str:
    """The address of this host that all of its machines reach."""
    return gateway(Engine()) if _bridged(settings) else "127.0.0.1"


def _runs(home: Home) -> bool:
    """It holds its lock for as long as it lives."""
    return is_held(home.files / starting.LOCK)


def _answers(home: Home) -> bool:
    """It refuses somebody without a key, in S3's way."""
    address = address_of(_told_listen(home))
    if address is None or not _runs(home):
        return False
    host, port = EVERYWHERE.get(address[0], address[0]), address[1]
    connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/")
        return bool(connection.getresponse().getheader("x-amz-request-id"))
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
