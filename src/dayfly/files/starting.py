"""What the archive of an environment is told when it starts, as a file in its folder."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from dayfly import typed
from dayfly.durable import translated
from dayfly.errors import DayflyError

ACCOUNTS, SETTINGS, LOCK = "accounts.json", "settings.json", "lock"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an environment says of its archive."""

    root: str
    index: str
    accounts: str
    listen: str
    workers: int
    socket: str = ""  # of the balancer, beside the address
    domains: tuple[str, ...] = ()  # below which each bucket has a host of its own


def load(folder: Path) -> Settings:
    with translated(folder / SETTINGS):
        text = (folder / SETTINGS).read_bytes()
    try:
        return typed.decode(text, Settings)
    except msgspec.MsgspecError as error:
        raise DayflyError(f"{folder / SETTINGS}: {error}", hint="`dayfly up` writes it.") from error
