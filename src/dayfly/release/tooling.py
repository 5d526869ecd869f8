"""What of a commit is needed for its database when its source is gone."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dayfly import typed
from dayfly.config.app import Database
from dayfly.database.python_migrations import Tree, program_texts, tree_of
from dayfly.database.recorded import recorded_statements
from dayfly.database.tools import UNKNOWN, Tool, ToolError, tool_of
from dayfly.errors import DayflyError
from dayfly.release import contracts
from dayfly.release.work import RefusedError, Work

_FILE, _PROGRAMS = "tool.json", "programs.json"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What was found in the source tree."""

    tree: Tree
    setting: str = ""  # what [database] would say of it; empty where nothing was found


def keep(work: Work, source: Path) -> None:
    """The SQL files; or what the migration tool is and has, where somebody will ask for it.

    Links are refused: we would read what they lead to, which is not the app's to read.
    """
    database = work.app.database
    if database is None:
        return
    if database.statements:
        _keep_statements(work, source, database.statements)
    if database.migrate or database.at_start:
        (work.folder / _PROGRAMS).write_bytes(msgspec.json.encode(program_texts(source)))
    if database.migrations:
        _keep_files(work, source, database.migrations)
    elif not database.migrate or database.contract or contracts.waiting(work):
        kept = _found(source, database)
        (work.folder / _FILE).write_bytes(msgspec.json.encode(kept))


def kept(work: Work) -> Kept:
    return typed.decode((work.folder / _FILE).read_bytes(), Kept)


def programs(work: Work) -> dict[str, str]:
    """The texts of migrations that are programs, by name; none of what was kept before that."""
    path = work.folder / _PROGRAMS
    return typed.decode(path.read_bytes(), dict[str, str]) if path.exists() else {}


def _keep_files(work: Work, source: Path, wanted: str) -> None:
    folder, named = source / wanted, f"migrations = {wanted!r} of [database]"
    if not folder.is_dir():
        raise RefusedError(
            f"{named}: the commit has no such directory",
            hint="It names a directory of SQL files in the repository.",
        )
    _refuse_links(source, folder, named)
    shutil.rmtree(work.migrations, ignore_errors=True)
    shutil.copytree(folder, work.migrations)


def _keep_statements(work: Work, source: Path, wanted: str) -> None:
    file, named = source / wanted, f"statements = {wanted!r} of [database]"
    if not file.is_file():
        raise RefusedError(
            f"{named}: the commit has no such file",
            hint="It names a file of SQL in the repository, one statement a line.",
        )
    _refuse_links(source, file, named)
    try:
        recorded_statements(file, named)
    except DayflyError as error:
        raise RefusedError(error.message, hint=error.hint) from error
    shutil.copyfile(file, work.statements)


def _refuse_links(source: Path, kept: Path, named: str) -> None:
    for path in (kept, *kept.relative_to(source).parents, *kept.rglob("*")):
        if (source / path).is_symlink():
            raise RefusedError(f"{named}: {(source / path).relative_to(source)} is a link")


def _found(source: Path, database: Database) -> Kept:
    try:
        tool = tool_of(source)
        tree = tree_of(tool, source)
    except ToolError as error:
        if database.contract:
            raise RefusedError(
                f"contract of [database]: {error.message}", hint=error.hint
            ) from error
        tool, tree = UNKNOWN, Tree(kind="unknown", revisions=())
    if database.contract and not tree.revisions:
        raise RefusedError(
            f"contract of [database]: nobody can tell `{database.migrate}` how far to go",
            hint="That is possible with SQL files that Dayfly runs (migrations), with Alembic and "
            "with Django. With another tool put what takes away into a separate release.",
        )
    return Kept(tree=tree, setting=_setting(tool))


def _setting(tool: Tool) -> str:
    if tool.command:
        return f'migrate = "{tool.command}"'
    return "" if tool == UNKNOWN else f'migrations = "{tool.place}"'
