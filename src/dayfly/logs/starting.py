"""What the log server's own process is started with: one file in its folder, by its starter."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from dayfly.durable import FileError, translated
from dayfly.logs.store.settings import DEFAULTS, Settings

SETTINGS = "settings.json"


@dataclass(frozen=True, kw_only=True)
class Serving:
    listen: str  # HOST:PORT
    store: Settings = DEFAULTS


def load(folder: Path) -> Serving:
    path = folder / SETTINGS
    with translated(path):
        raw = path.read_bytes()
    try:
        return msgspec.json.decode(raw, type=Serving)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise FileError(f"{path}: {error}") from error
