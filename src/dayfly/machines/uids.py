"""Under which user id an app's machines run: one of its own, known to nobody else."""

import hashlib
import json
import os
from pathlib import Path

from dayfly.machines.machine import MachineError

FIRST, COUNT = 1_900_000_000, 99_999_999  # above systemd's and subuid ranges, below 2^31


def uid_for(home: Path, environment: str, app: str) -> int | None:
    """The app's uid, allocated at its first machine and kept in `uids.json`; None without root."""
    if os.geteuid() != 0:
        return None
    path = home / "uids.json"
    known: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    if app not in known:
        known[app] = choose(environment, app, frozenset(known.values()))
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(known, indent=2))
        fresh.replace(path)
    return known[app]


def choose(environment: str, app: str, taken: frozenset[int]) -> int:
    """The same for the same app and environment, and another for every other one."""
    digest = hashlib.sha256(f"{environment}/{app}".encode()).digest()
    start = int.from_bytes(digest[:8], "big")
    return next(
        uid for step in range(COUNT) if (uid := FIRST + (start + step) % COUNT) not in taken
    )


def require_reach(path: Path, uid: int) -> None:
    """MachineError unless this user, alone in a group of the same number, can get to `path`."""
    for folder in reversed(path.absolute().parents):
        stat = folder.stat()
        passable = 0o001 | (0o010 if stat.st_gid == uid else 0) | (0o100 * (stat.st_uid == uid))
        if not stat.st_mode & passable:
            raise MachineError(
                f"machines run as their own user, who can't pass through {folder} to {path}",
                hint=f"chmod o+x {folder}, or choose another DAYFLY_HOME",
            )
