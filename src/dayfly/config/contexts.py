"""Which environment the command line talks to, where it answers, and with which token."""

import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from dayfly.config.environment import Environment
from dayfly.config.environment_rules import address_of
from dayfly.config.home import Home, token
from dayfly.config.inherited import context_variable
from dayfly.config.load import load_environment
from dayfly.config.problem import SettingsError
from dayfly.durable import FileError, translated

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - we talk to it, we don't listen


@dataclass(frozen=True, kw_only=True)
class Context:
    name: str
    address: str  # http://host:port
    token: str = field(repr=False)


def contexts_file() -> Path:
    return Path.home() / ".config/dayfly/contexts.toml"


def context(name: str | None, home: Home, contexts: Path) -> Context:
    """The environment called `name`, else by DAYFLY_CONTEXT, else the one of this home.

    `contexts` holds `[NAME]` tables with `address` and `token`, for environments elsewhere.
    """
    wanted = name or context_variable()
    if wanted is None:
        return _local(home, settings_of(home))
    elsewhere = _elsewhere(contexts)
    if wanted in elsewhere:
        return elsewhere[wanted]
    if home.environment_toml.exists() and (own := settings_of(home)).name == wanted:
        return _local(home, own)
    near = get_close_matches(wanted, elsewhere, 1)
    hint = f"Did you mean {near[0]}?" if near else f"Write its address and token into {contexts}."
    raise SettingsError(f"no environment is called {wanted}", hint=hint)


def settings_of(home: Home) -> Environment:
    """The environment.toml of a home."""
    try:
        with translated(home.environment_toml):
            text = home.environment_toml.read_text()
    except FileError as error:
        hint = "Start an environment with `dayfly up`, or name its home in DAYFLY_HOME."
        raise FileError(error.message, hint=hint) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{home.environment_toml}: is not UTF-8 text") from error
    return load_environment(text, file=str(home.environment_toml))


def _local(home: Home, own: Environment) -> Context:
    host, port = address_of(own.api.listen) or ("127.0.0.1", 0)
    host = _EVERYWHERE.get(host, host)
    shown = f"[{host}]" if ":" in host else host
    return Context(name=own.name, address=f"http://{shown}:{port}", token=token(home))


def _elsewhere(path: Path) -> dict[str, Context]:
    if not path.exists():
        return {}
    with translated(path):
        if path.stat().st_mode & 0o077:
            hint = f"It holds tokens: chmod 600 {path}"
            raise SettingsError(f"{path}: others may read it", hint=hint)
        text = path.read_text(errors="replace")
    try:
        tables = tomllib.loads(text)
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from error
    return {name: _context(path, name, table) for name, table in tables.items()}


def _context(path: Path, name: str, table: object) -> Context:
    if not isinstance(table, dict) or table.keys() != {"address", "token"}:
        raise SettingsError(f"{path}: [{name}] needs `address` and `token`, and nothing else")
    address, secret = str(table["address"]).rstrip("/"), str(table["token"])
    if not _is_address(address):
        says = f"{path}: [{name}] has the address {address}"
        raise SettingsError(says, hint="Allowed is http://HOST:PORT or https://HOST:PORT.")
    return Context(name=name, address=address, token=secret)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        known = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or True)
    except ValueError:
        return False
    return bool(known) and not (parts.path or parts.query or parts.fragment or parts.username)
