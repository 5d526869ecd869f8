"""A real repository of somebody's application, for tests."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (
        ("NAME", "Ada"),
        ("EMAIL", "ada@example.org"),
        ("DATE", "2024-05-06T07:08:09+00:00"),
    )
}
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    **_IDENTITY,
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass(frozen=True)
class Project:
    folder: Path

    @classmethod
    def begun(cls, folder: Path) -> "Project":
        folder.mkdir(parents=True)
        project = cls(folder)
        project.git("init", "-q", "-b", "main")
        return project

    def git(self, *words: str) -> str:
        return subprocess.run(
            ["git", *words],
            cwd=self.folder,
            env=ENVIRONMENT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def write(self, path: str, text: str, *, mode: int = 0o644) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def commit(self, message: str = "Change", **files: str) -> str:
        """Commit what is there and `files` (name → text); the commit's id."""
        for path, text in files.items():
            self.write(path, text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")
