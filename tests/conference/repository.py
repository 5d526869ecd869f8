"""The git repository that a team would keep to run pretalx: one commit for each version."""

import shutil
import subprocess
from pathlib import Path

APP = Path(__file__).parent.parent / "acceptance" / "pretalx"
VERSIONS = ("2024.1.0", "2024.3.1")
_FILES = ("dayfly.toml", "production.py", "fill.py")
_IDENTITY = ("-c", "user.name=Ida Brandt", "-c", "user.email=ida@example.com")


def make(folder: Path) -> None:
    """Each version is a commit, tagged with its number."""
    folder.mkdir()
    _git(folder, "init", "--quiet", "--initial-branch=main")
    for name in _FILES:
        shutil.copy(APP / name, folder / name)
    for version in VERSIONS:
        shutil.copy(APP / f"requirements-{version}.txt", folder / "requirements.txt")
        _git(folder, "add", "--all")
        _git(folder, *_IDENTITY, "commit", "--quiet", "--message", f"Run pretalx {version}")
        _git(folder, "tag", version)


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", folder, *words], check=True)
