"""The two commands a newcomer types first, as they type them."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from workshop import open_folder

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy, pytest.mark.postgres]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home() -> Iterator[Path]:
    """Where any user may pass, as machines run under their own."""
    with open_folder() as folder:
        yield folder


def script(name: str, home: Path) -> tuple[int, str]:
    done = subprocess.run(
        [str(ROOT / "scripts" / name)],
        env={**os.environ, "DAYFLY_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        timeout=280,
        check=False,
    )
    return done.returncode, done.stdout.decode(errors="replace")


def processes_below(home: Path) -> list[str]:
    found = []
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes() if folder.name.isdecimal() else b""
        except OSError:
            continue
        if str(home).encode() in words:
            found.append(words.replace(b"\0", b" ").decode(errors="replace"))
    return found


def test_the_demo_shows_the_main_job_and_stop_ends_it(home: Path) -> None:
    """Releases under load, a broken one, a death, a rollback: nothing lost, and all of it ends."""
    status, said = script("demo", home)
    try:
        assert status == 0, said[-4000:]
        assert "The three agree: nothing was lost." in said
        assert "It was refused, and release 2 serves on" in said
        receipts = re.findall(r"lost (\d+) of", said)
        assert len(receipts) == 5
        assert set(receipts) == {"0"}
    finally:
        ended, told = script("stop", home)

    assert ended == 0, told
    assert f"What remains: {home} and {ROOT}/.venv" in told
    assert processes_below(home) == []
