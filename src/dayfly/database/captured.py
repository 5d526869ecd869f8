"""What a migration really executed, in its transactions."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement as the server saw it, its parameters filled in as literals."""

    text: str
    migration: str = ""  # the file or name it belongs to; empty where the tool does not tell


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """Statements that succeed or fail together; one that stood alone has `block` False."""

    statements: tuple[Statement, ...]
    block: bool = True
    early: bool = False  # over before the tool first looked into its books: part of no migration
    reads: bool = False  # does nothing else, in a session that looks into the books
