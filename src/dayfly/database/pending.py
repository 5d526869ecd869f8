"""Which migrations of a source tree a database has not run yet."""

from pathlib import Path

from psycopg import sql

from dayfly.database.books import ALEMBIC, DJANGO
from dayfly.database.connection import connect
from dayfly.database.problems import asking, connecting
from dayfly.database.python_migrations import (
    Revision,
    Tree,
    in_order,
    refuse_two_heads,
    tree_of,
    with_what_came_before,
)
from dayfly.database.sqlfiles import pending_files
from dayfly.database.tools import Tool

_THERE = "SELECT oid::regclass::text FROM pg_class WHERE relname = %s AND relkind = 'r' LIMIT 1"


def pending_migrations(tool: Tool, source: Path, url: str | None) -> tuple[str, ...] | None:
    """Their names in order, all of them without a database; None where nobody can tell."""
    match tool.kind:
        case "sql" | "flyway":
            return tuple(file.name for file in pending_files(url, source / tool.place))
        case "alembic" | "django":
            found = pending_revisions(tree_of(tool, source), url)
            return tuple(one.name for one in found)
        case _:
            return None


def pending_revisions(tree: Tree, url: str | None) -> list[Revision]:
    """In their order."""
    done = _done_by_alembic(tree, url) if tree.kind == "alembic" else _done_by_django(tree, url)
    return [one for one in in_order(tree.named) if one.name not in done]


def _done_by_alembic(tree: Tree, url: str | None) -> set[str]:
    refuse_two_heads(tree.named)
    current = set(_recorded(url, ALEMBIC, "version_num")) if url else set()
    return with_what_came_before(tree.named, current)


def _done_by_django(tree: Tree, url: str | None) -> set[str]:
    done = set(_recorded(url, DJANGO, "app || '.' || name")) if url else set()
    return done.union(*(_not_needed(one, done) for one in tree.revisions))


def _not_needed(squashed: Revision, done: set[str]) -> set[str]:
    """Of a squashed migration and those it stands for, only one side runs."""
    replaced = set(squashed.replaces)
    return {squashed.name} if replaced & done else replaced


def _recorded(url: str, table: str, name: str) -> list[str]:
    with (
        connecting(url),
        connect(url, autocommit=True) as connection,
        asking(connection),
    ):
        row = connection.execute(_THERE, (table,)).fetchone()
        if row is None:
            return []
        question = sql.SQL(f"SELECT {name} FROM {row[0]}")  # noqa: S608 - quoted by regclass
        return [str(one[0]) for one in connection.execute(question)]
