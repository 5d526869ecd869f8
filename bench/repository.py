"""Checkouts of small applications."""

import subprocess
from pathlib import Path

from apps import WHO


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *WHO, *words], cwd=folder, check=True)


def begin(folder: Path) -> None:
    """Make what is there the first commit of a new repository."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "First")


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
