"""The log store and the forwarder of an environment: what they are told, and how they are."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from dayfly import typed
from dayfly.client import Client, ClientError
from dayfly.command import which
from dayfly.config.environment import Environment as Settings
from dayfly.config.environment import Syslog
from dayfly.config.home import Home
from dayfly.config.names import OPERATOR
from dayfly.durable import FileError, translated, write_atomically
from dayfly.environment import feeds, listening
from dayfly.environment.listening import free_listen, is_free, is_held, url_of
from dayfly.logs.feeding import settings as feeding
from dayfly.logs.forwarder import journal
from dayfly.logs.forwarder import starting as forwarding
from dayfly.logs.forwarder.stamps import Stamps
from dayfly.logs.forwarder.starting import Files
from dayfly.tunnel.place import LOG as CHARON_LOG

USUAL_PORT = 8082
OWN = OPERATOR  # the app of what Dayfly itself says
SERVING = "settings.json"  # of the log server
ANSWER_SECONDS = 2.0
_KEEPS = "log store"  # who holds its port


def prepare(home: Home, settings: Settings) -> None:
    """Write what the two services read when they start."""
    logs = settings.logs
    listen = logs.listen or _kept_listen(home) or free_listen(home, USUAL_PORT, _KEEPS)
    told = {
        "listen": listen,
        "zone": _zone(settings),
        "syslog": _syslog(home, logs.syslog),
        "store": {
            "keep_seconds": float(logs.retention.age),
            "keep_apps": {n: float(app.age) for n, app in logs.app.items() if app.age is not None},
            "keep_bytes": int(logs.retention.size),
        },
    }
    write_atomically(home.logs / SERVING, msgspec.json.encode(told))
    fed = [feeds.handed(home, name, feed) for name, feed in logs.feed.items()]
    write_atomically(home.logs / feeding.SETTINGS, msgspec.json.format(msgspec.json.encode(fed)))
    forwarded = forwarding.Settings(
        url=_url(listen),
        token_file=str(home.logs / "token"),
        host=socket.gethostname(),
        output=str(home.output),
        files=tuple(_files(home, settings)),
        limit=int(logs.spool.limit),
        full=logs.spool.full,
        zone=_zone(settings),
        journal=logs.host.journal and has_journal(),
        secrets=str(home.secrets),
    )
    write_atomically(home.forwarder / forwarding.SETTINGS, msgspec.json.encode(forwarded))


def url(home: Home) -> str:
    """Where the log store answers; empty where none was ever started."""
    listen = _told_listen(home)
    return _url(listen) if listen else ""


def token(home: Home) -> str:
    """Who shows it may ask and send."""
    with translated(home.logs / "token"):
        return (home.logs / "token").read_text().strip()


def client(home: Home, *, seconds: float = ANSWER_SECONDS) -> Client:
    """Of the log store, with the right to ask."""
    return Client(url(home), token(home), called="The log store", seconds=seconds)


def store_state(home: Home) -> dict[str, Any]:
    """As `dayfly status` tells it."""
    up = _answers(home)
    return {
        "state": "up" if up else "down",
        "url": url(home),
        "problems": _problems(home) if up else [],
    }


def _problems(home: Home) -> list[str]:
    try:
        return list(client(home).get("/usage")["problems"])
    except (ClientError, FileError, TypeError, KeyError):
        return []


def feeds_state(home: Home) -> list[dict[str, Any]]:
    """How far each has come; none where the store does not answer."""
    try:
        return list(client(home).get("/feeds"))
    except (ClientError, FileError, TypeError):
        return []


def forwarder_runs(home: Home) -> bool:
    """It holds its lock for as long as it lives."""
    return is_held(home.forwarder / "lock")


def let_go(home: Home) -> None:
    """Of the port, when the environment is destroyed."""
    listening.let_go(home, _KEEPS)


def has_journal() -> bool:
    """Whether systemd keeps one here that says something."""
    folders = (Path("/var/log/journal"), Path("/run/log/journal"))
    return which("journalctl") is not None and any(
        next(folder.glob("*/*.journal"), None) for folder in folders if folder.is_dir()
    )


def _zone(settings: Settings) -> str:
    """Of times that tell none: what is written here means this host's, but containers have none."""
    if settings.runtime == "docker":
        return "UTC"
    _, found, name = os.path.realpath("/etc/localtime").partition("/zoneinfo/")
    try:
        return ZoneInfo(name).key if found else "UTC"
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"


def _syslog(home: Home, syslog: Syslog) -> dict[str, str]:
    """Files lie below DAYFLY_HOME."""
    told = {"listen": syslog.listen, "tls": syslog.tls}
    for name in ("certificate", "clients"):
        path = getattr(syslog, name)
        told[name] = path and str(home.path / path)
    return {name: text for name, text in told.items() if text}


def _files(home: Home, settings: Settings) -> Iterator[Files]:
    yield Files(
        path=str(home.balancer / "access.log"),
        stamps=Stamps(process="balancer", stream="access"),
    )
    for name in ("server", "balancer", "logs", "supervisord"):
        yield Files(
            path=str(home.run / f"{name}.log"),
            stamps=Stamps(app=OWN, process=name, stream="log"),
        )
    if settings.tunnel is not None:
        path = str(home.tunnel / CHARON_LOG)
        yield Files(path=path, stamps=Stamps(app=OWN, process="tunnel", stream="log"))
    host = settings.logs.host
    if host.journal and has_journal():
        path = str(home.forwarder / journal.FOLDER / journal.FILE)
        yield Files(path=path, stamps=Stamps(stream="journal"))
    else:
        yield from (Files(path=path, stamps=Stamps(stream="syslog")) for path in host.syslog)
    for path in host.postgresql:
        yield Files(path=path, stamps=Stamps(process="postgresql", stream="postgresql"))


def _kept_listen(home: Home) -> str:
    """What was chosen once stays, so that senders find it, unless another program has it now."""
    listen = _told_listen(home)
    return listen if listen and (_answers(home) or is_free(listen)) else ""


def _told_listen(home: Home) -> str:
    try:
        return str(typed.plain((home.logs / SERVING).read_bytes())["listen"])
    except (FileNotFoundError, msgspec.DecodeError, KeyError, TypeError):
        return ""


def _url(listen: str) -> str:
    return url_of(listen, "logs.listen")


def _answers(home: Home) -> bool:
    """It knows our token; no other program is taken for it."""
    try:
        return "version" in client(home).get("/")
    except (ClientError, FileError, TypeError):
        return False
