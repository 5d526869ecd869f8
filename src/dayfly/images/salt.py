"""Whether a build is told the same secrets again, without keeping a trace of their values."""

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from pathlib import Path

from dayfly.durable import locked, translated, write_atomically

_BYTES = 32


def salt_of(folder: Path) -> bytes:
    """What nobody outside of this environment knows; made when first asked for."""
    file = folder / ".salt"
    with translated(file):
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / ".salt.lock"):
            if not file.exists():
                write_atomically(file, os.urandom(_BYTES))
            return file.read_bytes()


def salted(values: Mapping[str, str], salt: bytes) -> str:
    """A name for the values, which nobody can guess them by; empty where there are none."""
    told = json.dumps(sorted(values.items())).encode()
    return hmac.new(salt, told, hashlib.sha256).hexdigest() if values else ""
