"""What the IKE daemon that runs was told: what stands in it was made with that, and nothing else.

A daemon has one set of settings for all its life. It keeps what stands when it is told others, so
that who is out by now would stay in: for other settings another daemon is started.
"""

from dataclasses import dataclass

import msgspec

from dayfly.durable import FileError, write_atomically
from dayfly.stored import read_json
from dayfly.tunnel.charon import Charon


@dataclass(frozen=True, kw_only=True)
class Loaded:
    pid: int = 0  # of the daemon
    settings: str = ""


def remember_loaded(charon: Charon, settings: str) -> None:
    """Before it is told them: nothing stands in it yet."""
    loaded = Loaded(pid=charon.pid, settings=settings)
    write_atomically(charon.place.loaded, msgspec.json.encode(loaded))


def loaded_with(charon: Charon) -> str:
    """Empty where nobody knows."""
    try:
        found = read_json(charon.place.loaded, Loaded, absent=Loaded())
    except FileError:
        return ""
    return found.settings if found.pid == charon.pid else ""
