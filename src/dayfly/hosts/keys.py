"""Keys of hosts, as known_hosts has them."""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dayfly.hosts.address import HostError

_BEST = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
_SSH_PORT = "22"


@dataclass(frozen=True, kw_only=True)
class Key:
    kind: str  # ssh-ed25519
    text: str  # in base64

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` shows it."""
        digest = hashlib.sha256(base64.b64decode(self.text)).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def keys_of(scanned: str) -> tuple[Key, ...]:
    """From `ssh-keyscan`, the best kind first."""
    rows = [line.split() for line in scanned.splitlines() if not line.startswith("#")]
    keys = [Key(kind=row[1], text=row[2]) for row in rows if len(row) >= 3 and _whole(row[2])]  # noqa: PLR2004
    return tuple(sorted(keys, key=lambda key: _BEST.index(key.kind) if key.kind in _BEST else 9))


def _whole(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except binascii.Error:
        return False


def known_as(settled: Mapping[str, str]) -> str:
    """The name of a host in known_hosts; `settled` is what `ssh -G` tells."""
    host = settled.get("hostkeyalias", settled["hostname"])
    return host if settled["port"] == _SSH_PORT else f"[{host}]:{settled['port']}"


def vouched(keys: Sequence[Key], fingerprint: str, about: str) -> Key:
    """The key that a person has compared; HostError where the host shows no such."""
    for key in keys:
        if key.fingerprint == fingerprint:
            return key
    shown = ", ".join(key.fingerprint for key in keys) or "none"
    raise HostError(f"{about} has no key {fingerprint}; it shows {shown}")


def remember(key: Key, settled: Mapping[str, str]) -> Path:
    """Add a key to the known hosts of whoever types."""
    file = Path(settled["userknownhostsfile"].split()[0]).expanduser()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = f"{known_as(settled)} {key.kind} {key.text}\n"
    known = file.read_text() if file.exists() else ""
    if line not in known:
        with file.open("a") as out:
            out.write(line if known.endswith("\n") or not known else f"\n{line}")
    return file
