"""The application `ledger` in PostgreSQL, in as many versions and schemas as a test wants."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import psycopg

import apps
from production import layers
from production.environment import Production
from production.projects import Project

SOURCE = Path(apps.__file__).parent / "ledger"


@dataclass(frozen=True)
class Ledger(Project):
    """A checkout of it, and the URL of its database."""

    url: str

    @property
    def columns(self) -> set[str]:
        """Of its table, as they are now."""
        with psycopg.connect(self.url) as connection:
            found = connection.execute("SELECT * FROM entries LIMIT 0").description or []
        return {column.name for column in found}

    def changed(self, name: str = "", sql: str = "", *, write: str = "", read: str = "") -> str:
        """Commit a version with one more migration and other statements; its id."""
        if sql:
            number = len(list((self.folder / "changes").iterdir())) + 1
            (self.folder / "changes" / f"{number:04}_{name}.sql").write_text(sql)
        for file, text in (("write.sql", write), ("read.sql", read)):
            if text:
                (self.folder / file).write_text(text)
        return self.save(name or "More code")

    def set(self, **values: str) -> None:
        """Settings of dayfly.toml, by key; their values as they stand there."""
        file = self.folder / "dayfly.toml"
        text = file.read_text()
        for key, value in values.items():
            line = rf"(?m)^{key} *= .*\n"
            text = re.sub(line, "", text) if not value else _put(text, line, f"{key} = {value}\n")
        file.write_text(text)

    def taken_back(self) -> None:
        """The checkout as its last release that was not refused left it."""
        self.git("reset", "--quiet", "--hard", "HEAD~1")


def ledger(prod: Production, url: str, folder: str = "ledger", **settings: str) -> Ledger:
    """Its first release serves, and has made its table of 2,000 entries."""
    shutil.copytree(SOURCE, prod.folder / folder, ignore=shutil.ignore_patterns("__pycache__"))
    made = Ledger(prod.folder / folder, url)
    made.set(**settings)
    made.git("init", "--quiet", "--initial-branch=main")
    first = made.save("First")
    prod.typed("secret", "set", "DATABASE_URL", at=made.folder, given=url)
    images = prod.home.images / "ledger"
    layers.lend(images)
    prod.released(made, first)
    layers.keep(images)
    return made


def _put(text: str, line: str, new: str) -> str:
    if re.search(line, text):
        return re.sub(line, new, text)
    return text.replace("[database]\n", f"[database]\n{new}")
