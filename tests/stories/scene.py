"""An environment with the ledger in it, its table as large as a story needs."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from dayfly.database.scratch import scratch_server
from production.environment import Production, Ran, running
from production.ledgers import SOURCE, Ledger
from stories.clients import Tally, clients

FIRST = "CREATE TABLE entries (id bigserial PRIMARY KEY, payer text NOT NULL, cents int NOT NULL)"
FILLED = (
    "INSERT INTO entries (payer, cents) SELECT 'p' || i, i % 1000 FROM generate_series(1, {}) i"
)


@dataclass(frozen=True)
class Scene:
    prod: Production
    book: Ledger
    seed: int
    releases: list[int] = field(default_factory=list)

    @property
    def app(self) -> str:
        return self.book.app

    @contextmanager
    def load(self) -> Iterator[Tally]:
        with clients(self.prod.http, self.seed) as tally:
            yield tally

    def release(self, commit: str, *words: str) -> dict[str, Any]:
        """One that has to succeed; its receipt."""
        number = self.prod.released(self.book, commit, *words)
        self.releases.append(number)
        return self.prod.record(number)

    def refused(self, commit: str, *words: str) -> Ran:
        ran = self.prod.release(self.book, commit, *words)
        assert ran.status == 1, ran.said
        return ran

    def rolled_back(self, *words: str) -> str:
        return self.prod.typed("rollback", *words, at=self.book.folder)

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.book.url, autocommit=True) as connection:
            return connection.execute(question.encode()).fetchall()

    def lost(self, tally: Tally) -> list[int]:
        """Entries that a client was told are written, and that are not there."""
        there = {row[0] for row in self.rows("SELECT id FROM entries")}
        return sorted(set(tally.written) - there)


@contextmanager
def scene(folder: Path, *, rows: int = 2000, seed: int = 1, **settings: str) -> Iterator[Scene]:
    """The first release serves; `settings` are those of dayfly.toml, as they stand there."""
    (folder / "postgresql").mkdir()
    (folder / "production").mkdir()
    for place in (folder, folder / "postgresql", folder / "production"):
        place.chmod(0o755)
    with (
        running(folder / "production") as prod,
        scratch_server(folder / "postgresql", None) as server,
        server.database() as url,
    ):
        shutil.copytree(SOURCE, folder / "ledger", ignore=shutil.ignore_patterns("__pycache__"))
        book = Ledger(folder / "ledger", url)
        (book.folder / "changes" / "0001_entries.sql").write_text(FIRST)
        book.set(migrate="", migrations='"changes"', watch='"500ms"', **settings)
        book.git("init", "--quiet", "--initial-branch=main")
        first = book.save("First")
        prod.typed("secret", "set", "DATABASE_URL", at=book.folder, given=url)
        made = Scene(prod, book, seed)
        made.release(first)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(FILLED.format(rows).encode())
        with psycopg.connect(url, autocommit=True) as connection:  # or its rows count twice
            connection.execute("ANALYZE entries")
        yield made
