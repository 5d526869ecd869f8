"""Applications to release in tests: `kinds` answers every kind of traffic and can misbehave.

repository = apps.repository(tmp_path / "kinds")
first = apps.commit(repository)
broken = apps.commit(repository, misbehave="never-healthy")
"""

import shutil
from pathlib import Path

from dayfly.command import Setting, output_of

KINDS = Path(__file__).parent / "kinds"
WHO = (
    "-c",
    "user.name=Ida Brandt",
    "-c",
    "user.email=ida@example.com",
    "-c",
    "commit.gpgsign=false",
)


def repository(folder: Path) -> Path:
    """A new git repository with the application `kinds` in it, nothing committed yet."""
    shutil.copytree(KINDS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    _git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def commit(folder: Path, *, misbehave: str = "", machines: int = 2, more: str = "") -> str:
    """Commit one more version and return its id.

    `misbehave` are words of `kinds/behaviour.py`; `more` is appended to dayfly.toml.
    """
    version = folder / "VERSION"
    number = int(version.read_text()) + 1 if version.exists() else 1
    version.write_text(f"{number}\n")
    settings = (KINDS / "dayfly.toml").read_text()
    settings = settings.replace("machines = 2", f"machines = {machines}")
    if misbehave:
        settings = settings.replace("app.py", f"app.py {misbehave}")
    (folder / "dayfly.toml").write_text(settings + more)
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", f"Version {number} {misbehave}".strip())
    return _git(folder, "rev-parse", "HEAD").strip()


def _git(folder: Path, *arguments: str) -> str:
    return output_of(["git", *WHO, *arguments], setting=Setting(cwd=folder))
