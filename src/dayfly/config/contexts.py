"""Which environment the command line talks to, where it answers, and with which token."""

import json
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dayfly.config.address import EVERYWHERE, address_of
from dayfly.config.environment import Api, Environment
from dayfly.config.home import NO_HOME, Home, default_home, token
from dayfly.config.inherited import context_variable
from dayfly.config.problem import SettingsError
from dayfly.durable import FileError, translated, write_atomically

NEEDED = {"address", "token"}
OPTIONAL = ("ca", "ssh", "ssh_config")


@dataclass(frozen=True, kw_only=True)
class Context:
    name: str
    address: str  # http://host:port
    token: str = field(repr=False)
    ca: str = field(default="", repr=False)  # PEM: who signs the server's certificate
    ssh: str = ""  # the host from where the address is reached: USER@HOST:PORT; here without it
    ssh_config: str = ""  # a file instead of ~/.ssh/config


def context(name: str | None) -> Context:
    """The environment that a command line means, `name` being what -e says."""
    return context_of(name, default_home(), contexts_file())


def contexts_file() -> Path:
    """Where a person's environments elsewhere stand."""
    return Path.home() / ".config/dayfly/contexts.toml"


def context_of(name: str | None, home: Home, contexts: Path) -> Context:
    """The environment called `name`, else by DAYFLY_CONTEXT, else the one of this home.

    `contexts` holds `[NAME]` tables with `address` and `token`, for environments elsewhere.
    """
    wanted = name or context_variable()
    if wanted is None:
        return _local(home, _settings(home))
    elsewhere = _elsewhere(contexts)
    if wanted in elsewhere:
        return elsewhere[wanted]
    own = _local(home, _settings(home)) if home.environment_toml.exists() else None
    if own and own.name == wanted:
        return own
    near = get_close_matches(wanted, [*elsewhere, *([own.name] if own else [])], 1)
    hint = f"Did you mean {near[0]}?" if near else "`dayfly login ADDRESS` makes it known."
    raise SettingsError(f"no environment is called {wanted}", hint=hint)


def own_context(home: Home) -> Context:
    """The environment of this home, whatever else is chosen."""
    return _local(home, _settings(home))


def remember(context: Context, contexts: Path) -> None:
    """Keep an environment elsewhere under its name, in the place of what had that name."""
    known = _elsewhere(contexts) | {context.name: context}
    text = "\n".join(_written(each) for each in known.values())
    with translated(contexts):
        contexts.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomically(contexts, text)


def _written(context: Context) -> str:
    """As TOML, whose texts are JSON's."""
    told = {"address": context.address, "token": context.token}
    told |= {key: said for key in OPTIONAL if (said := getattr(context, key))}
    lines = [f"{key} = {json.dumps(value)}" for key, value in told.items()]
    return "\n".join([f"[{json.dumps(context.name)}]", *lines, ""])


def _local(home: Home, settings: dict[str, Any]) -> Context:
    """From two keys of environment.toml; the server reads and checks the whole of it."""
    api = _table(settings.get("api"))
    listen = api.get("listen", Api().listen)
    found = address_of(str(listen))
    if not found:
        says = f"{home.environment_toml}: api.listen: found {listen}"
        raise SettingsError(says, hint='Allowed is an address and a port: "127.0.0.1:8081".')
    host = EVERYWHERE.get(found[0], found[0])
    shown = f"[{host}]" if ":" in host else host
    name = str(settings.get("name", Environment().name))
    if api.get("tls") is not True:
        return Context(name=name, address=f"http://{shown}:{found[1]}", token=token(home))
    address = f"https://{shown}:{found[1]}"
    return Context(name=name, address=address, token=token(home), ca=authority_of(home))


def authority_of(home: Home) -> str:
    """The certificate of the environment's own CA, as PEM."""
    try:
        with translated(home.ca):
            return (home.ca / "ca.pem").read_text()
    except FileError as error:
        raise FileError(error.message, hint=NO_HOME) from error


def _settings(home: Home) -> dict[str, Any]:
    try:
        return _tables(home.environment_toml)
    except FileError as error:
        raise FileError(error.message, hint=NO_HOME) from error


def _tables(path: Path) -> dict[str, Any]:
    try:
        with translated(path):
            return tomllib.loads(path.read_text())
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from error


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _elsewhere(path: Path) -> dict[str, Context]:
    if not path.exists():
        return {}
    with translated(path):
        if path.stat().st_mode & 0o077:
            hint = f"It holds tokens: chmod 600 {path}"
            raise SettingsError(f"{path}: others may read it", hint=hint)
    return {name: _context(path, name, table) for name, table in _tables(path).items()}


def _context(path: Path, name: str, table: object) -> Context:
    if not isinstance(table, dict) or table.keys() - {*OPTIONAL} != NEEDED:
        says = f"{path}: [{name}] needs `address` and `token`, and besides them only knows"
        raise SettingsError(f"{says} {', '.join(f'`{key}`' for key in OPTIONAL)}")
    address, secret = str(table["address"]).rstrip("/"), str(table["token"])
    if not _is_address(address):
        says = f"{path}: [{name}] has the address {address}"
        raise SettingsError(says, hint="Allowed is http://HOST:PORT or https://HOST:PORT.")
    more = {key: str(table.get(key, "")) for key in OPTIONAL}
    return Context(name=name, address=address, token=secret, **more)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        known = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or True)
    except ValueError:
        return False
    return bool(known) and not (parts.path or parts.query or parts.fragment or parts.username)
