"""Somebody who types `dayfly`, as a real program."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import dayfly

SOURCE = Path(dayfly.__file__).parent.parent
DAYFLY = (sys.executable, "-c", "from dayfly.cli import main; main()")


@dataclass(frozen=True)
class Terminal:
    """Somebody who types `dayfly` in a folder, against one environment."""

    folder: Path
    env: dict[str, str]

    def start(self, *words: str, **how: object) -> "subprocess.Popen[str]":
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
            [*DAYFLY, *words],
            cwd=self.folder,
            env=self.env,
            text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how},
        )

    def type(self, *words: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*DAYFLY, *words],
            cwd=self.folder,
            env=self.env,
            input=stdin,
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )
