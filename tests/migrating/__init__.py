"""Databases to migrate, and projects of the real migration tools, in the words of a test."""

import os
import sys
import textwrap
from pathlib import Path

import psycopg
from psycopg.abc import Query

from dayfly.command import Setting, run
from dayfly.database.capture import Run
from dayfly.database.captured import Transaction
from dayfly.database.sqlfiles import apply_files

PLAIN = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}


def asked(url: str, question: Query) -> object:
    """One value, or None where a statement gives none."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(question)
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
    return folder


def command(folder: Path, *argv: str, seconds: float = 60) -> Run:
    """A migrate command that finds its database in DATABASE_URL."""

    def run_it(url: str) -> int:
        env = {**PLAIN, "DATABASE_URL": url, "PYTHONDONTWRITEBYTECODE": "1"}
        done = run(
            argv, setting=Setting(cwd=folder, env=env), seconds=seconds, check=False, on_line=print
        )
        return done.status

    return run_it


def python(folder: Path, *argv: str, seconds: float = 60) -> Run:
    return command(folder, sys.executable, *argv, seconds=seconds)


def told(found: tuple[Transaction, ...]) -> list[tuple[bool, list[tuple[str, str]]]]:
    """Transactions as plain data: block, then each statement's migration and first words."""
    return [
        (one.block, [(s.migration, " ".join(s.text.split()[:4])) for s in one.statements])
        for one in found
    ]


def applying(directory: Path) -> Run:
    """Dayfly's own runner as a migrate command."""

    def run_it(url: str) -> int:
        apply_files(url, directory)
        return 0

    return run_it
