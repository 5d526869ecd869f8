"""Somebody who types `dayfly`, as a real program."""

import os
import pty
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

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


class Screen:
    """A terminal of 100 columns with a person before it."""

    def __init__(self, terminal: Terminal, *words: str) -> None:
        self.ours, theirs = pty.openpty()
        terminal.env["TERM"] = "xterm-256color"
        self.process = terminal.start(
            *words, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self.seen = ""

    def wait_for(self, text: str) -> None:
        end = time.monotonic() + 20
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            if select.select([self.ours], [], [], 0.2)[0]:
                self.seen += self._read()

    def _read(self) -> str:
        try:
            return os.read(self.ours, 65536).decode(errors="replace")
        except OSError:  # who had the other end has ended
            pytest.fail(f"it has ended, and said: {self.seen}")

    def write(self, text: str) -> None:
        os.write(self.ours, text.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)
