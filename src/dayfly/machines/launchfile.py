"""What a machine is told at its start, as a file that its shim reads; it lies on tmpfs."""

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from dayfly.machines.machine import MachineError, Spec
from dayfly.machines.script import script_of

TMPFS = Path("/dev/shm")  # noqa: S108 - memory, not a temporary folder; its owner is checked
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def launch_text(spec: Spec, environment: str, *, port: int | None, extra: Mapping[str, str]) -> str:
    """Quoted assignments for a POSIX shell. What identifies the machine wins over all else."""
    identity = {
        "DAYFLY_ENVIRONMENT": environment,
        "DAYFLY_APP": spec.app,
        "DAYFLY_RELEASE": str(spec.release),
        "DAYFLY_PROCESS": spec.process,
        "DAYFLY_MACHINE": spec.name,
        "DAYFLY_RUN": script_of(spec.run).text,
    } | ({} if port is None else {"PORT": str(port)})
    values = {**extra, **spec.env, **spec.secrets, **identity}
    return "".join(_assignment(name, value) for name, value in values.items())


def _assignment(name: str, value: str) -> str:
    if not NAME.fullmatch(name):
        raise MachineError(
            f"{name!r} can't be the name of a variable",
            hint="Letters, digits and _ are allowed, no digit first.",
        )
    if "\0" in value:
        raise MachineError(f"{name} holds a NUL character, which no variable can hold")
    return f"{name}={shlex.quote(value)}\n"


def secret_folder(tmpfs: Path, environment: str) -> Path:
    """The folder of an environment on tmpfs, made when it is missing, refused when not ours."""
    folder = tmpfs / f"dayfly-{environment}"
    folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.geteuid() or folder.is_symlink() or not folder.is_dir():
        raise MachineError(
            f"{folder} belongs to user {found.st_uid}, so secrets can't be put there",
            hint=f"Look who made it, then remove it: rm -r {folder}",
        )
    return folder


def write_private(path: Path, text: str, uid: int | None) -> None:
    """A new file that only `uid` (None: we) can read; never readable by others, even briefly."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o400)
    with os.fdopen(handle, "wb") as file:
        if uid is not None:
            os.fchown(handle, uid, uid)
        file.write(text.encode(errors="surrogateescape"))
