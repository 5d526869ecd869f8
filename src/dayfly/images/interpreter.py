"""The Python that process images are built with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dayfly.command import CommandError, Setting, output_of
from dayfly.images.builder import BuildError

OLDEST = (3, 11)

_PROBE = """
import importlib.util, json, sys
has = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
program = getattr(sys, "_base_executable", sys.executable)
print(json.dumps([program, list(sys.version_info[:3]), sys.version, has]))
"""


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    program: Path
    version: tuple[int, int, int]
    about: str  # all that tells one build of Python from another
    makes_environments: bool  # has venv and ensurepip


def chosen(inherited: Mapping[str, str], uid: int | None) -> Interpreter:
    """The first `python3` on PATH, then Debian's own, that is new enough and that `uid` may run."""
    folders = [*inherited.get("PATH", "").split(":"), "/usr/bin"]
    seen = [_asked(Path(folder, "python3"), uid) for folder in dict.fromkeys(folders) if folder]
    able = [found for found in seen if found and found.version >= OLDEST]
    for interpreter in able:
        if interpreter.makes_environments:
            return interpreter
    if able:
        major, minor, _ = able[0].version
        raise BuildError(
            f"{able[0].program} cannot make virtual environments: venv or ensurepip is missing",
            hint=f"Install it: apt install python3-venv (or python{major}.{minor}-venv)",
        )
    who = f" that user {uid} may execute" if uid is not None else ""
    raise BuildError(
        f"no python3 of at least {OLDEST[0]}.{OLDEST[1]}{who}",
        hint="Install one for everybody: apt install python3 python3-venv. One below a home "
        "folder that others may not enter, as of pyenv, does not do.",
    )


def _asked(program: Path, uid: int | None) -> Interpreter | None:
    try:
        said = output_of(
            [str(program), "-I", "-c", _PROBE],
            setting=Setting(
                cwd=Path("/"), uid=uid, env={"PATH": f"{program.parent}:/usr/bin:/bin"}
            ),
        )
        base, version, about, has = json.loads(said)
    except (CommandError, ValueError):
        return None  # absent, not for this user, or no Python at all
    return Interpreter(
        program=Path(base), version=tuple(version), about=about, makes_environments=has
    )
