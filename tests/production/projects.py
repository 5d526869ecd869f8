"""Applications to release: `kinds`, in as many versions as a test wants."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import apps
from dayfly.command import Setting, output_of

QUICK: Mapping[str, str] = {
    'watch        = "2s"': 'watch        = "1s"',
    'warm         = "10m"': 'warm         = "5m"',
    'drain        = "20s"': 'drain        = "5s"',
    'deadline = "10s"': 'deadline = "6s"',
}
RUN = "exec python3 app.py"


@dataclass(frozen=True)
class Project:
    """A checkout of `kinds`."""

    folder: Path

    @property
    def app(self) -> str:
        return self.folder.name

    def commit(
        self,
        *,
        misbehave: str = "",
        changes: Mapping[str, str] | None = None,
        more: str = "",
        new: bool = True,
    ) -> str:
        """Commit one more version and return its id.

        `misbehave` are words of the app; `changes` replace text of dayfly.toml; `more` is
        appended. Without `new`, the same settings are the same files, and so the same image.
        """
        version = self.folder / "VERSION"
        number = int(version.read_text()) if version.exists() else 0
        version.write_text(f"{number + 1 if new else number}\n")
        text = (apps.KINDS / "dayfly.toml").read_text()
        wanted = {
            **QUICK,
            'app = "kinds"': f'app = "{self.app}"',
            RUN: f"{RUN} {misbehave}".strip(),
            **(changes or {}),
        }
        for old, fresh in wanted.items():
            text = text.replace(old, fresh)
        (self.folder / "dayfly.toml").write_text(text + more)
        return self.save(f"Version {number + 1} {misbehave}".strip())

    def save(self, message: str) -> str:
        """Commit what is there."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments: str) -> str:
        return output_of(["git", *apps.WHO, *arguments], setting=Setting(cwd=self.folder))


def project(folder: Path) -> Project:
    """A new checkout; the app is called as the folder."""
    return Project(apps.repository(folder))
