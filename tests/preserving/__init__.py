"""A database that is migrated and brought back: what was there, and what is there again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from copies import Copies, executed, migration
from dayfly.database.dump import dumped
from dayfly.database.impact.assess import assess
from dayfly.database.impact.schema.snapshot import snapshot
from dayfly.database.loss import Loss
from dayfly.database.preserve.compare import differences
from dayfly.database.preserve.exporting import preserve, seal
from dayfly.database.preserve.manifest import About, Manifest
from dayfly.database.preserve.restoring import Aside, Restored, restore

ABOUT = About(app="shop", release=7, commit="c0ffee")


@dataclass(frozen=True)
class Case:
    """A live database, and the folder that its preserved data lie in."""

    url: str
    folder: Path
    programs: Path

    def losses(self, copies: Copies, *statements: str) -> tuple[Loss, ...]:
        """What the judgement says of a migration."""
        with copies.fresh() as copy:
            return assess(copy, [migration(*statements)], rows={}, budget=1.0).preserve

    def preserved(self, *losses: Loss) -> Manifest:
        schema = dumped(self.url, self.programs)
        return preserve(self.url, losses, self.folder, about=ABOUT, schema=schema)

    def migrated(self, losses: Sequence[Loss], *statements: str) -> Manifest:
        """Preserved, then migrated, then looked at again."""
        made = self.preserved(*losses)
        executed(self.url, statements)
        seal(self.url, self.folder)
        return made

    def back(self, *, accept: bool = False, aside: Path | None = None) -> Restored:
        where = Aside(folder=aside, schema=dumped(self.url, self.programs)) if aside else None
        return restore(self.url, self.folder, accept=accept, aside=where)

    def written(self, *statements: str) -> None:
        executed(self.url, statements)

    def catalogue(self) -> Any:  # noqa: ANN401 - compared alone
        with psycopg.connect(self.url) as connection:
            return snapshot(connection)

    def dump(self) -> set[str]:
        """What pg_dump says, whatever order things, columns and options have."""
        lines = dumped(self.url, self.programs).splitlines()
        words = (sorted(re.findall(r"[^\s,()]+", line)) for line in lines if line[:2] != "--")
        return {" ".join(each) for each in words}

    def rows(self) -> dict[str, list[str]]:
        """Of every table, as text that does not depend on the order of columns."""
        with psycopg.connect(self.url) as connection:
            tables = connection.execute(
                "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n"
                " ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm')"
                " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1, 2"
            ).fetchall()
            question = sql.SQL("SELECT to_jsonb(t)::text FROM {} t ORDER BY 1")
            return {
                ".".join(name): [
                    row[0] for row in connection.execute(question.format(sql.Identifier(*name)))
                ]
                for name in tables
            }

    def values(self, question: str) -> list[Any]:
        with psycopg.connect(self.url) as connection:
            rows = connection.execute(question.encode()).fetchall()
            return [row[0] if len(row) == 1 else row for row in rows]


def assert_as_before(case: Case, catalogue: Any, rows: dict[str, list[str]]) -> None:  # noqa: ANN401
    now = case.catalogue()

    assert differences(catalogue, now) == ()
    assert set(now.named) - set(catalogue.named) == set()
    assert case.rows() == rows
