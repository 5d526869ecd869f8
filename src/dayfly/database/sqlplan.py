"""Which SQL files have to run, decided from the files and the books."""

from collections.abc import Sequence

from dayfly.database.sqlbooks import Books, Run
from dayfly.database.sqlnames import SqlFile, SqlFileError
from dayfly.database.sqltext import Token, significant, split
from dayfly.database.statements import control

NO_TRANSACTION = "-- dayfly: no transaction"
_ALONE = (
    ("vacuum",), ("create", "database"), ("drop", "database"), ("alter", "system"),
    ("create", "tablespace"), ("drop", "tablespace"), ("create", "subscription"),
    ("reindex", "database"), ("reindex", "system"),
)  # fmt: skip


def pending(files: Sequence[SqlFile], books: Books | None) -> tuple[SqlFile, ...]:
    """What the books lack; refused where files and books contradict each other."""
    if books is None:
        return tuple(files)
    _refuse_failed(books)
    _refuse_missing(files, books)
    new = tuple(file for file in files if _is_new(file, books))
    _refuse_out_of_order(files, new)
    return new


def alone(text: str) -> bool:
    """Whether a file holds something that PostgreSQL refuses inside a transaction."""
    if text.lstrip().startswith(NO_TRANSACTION):
        return True
    return any(
        _opens_or_ends(piece.text) or _refuses_a_transaction(significant(piece.text[:2000]))
        for piece in split(text)
    )


def _opens_or_ends(text: str) -> bool:
    """A transaction; savepoints need one that is there."""
    order = control(text)
    return order is not None and order.verb in ("begin", "commit", "rollback")


def _refuses_a_transaction(words: Sequence[Token]) -> bool:
    names = [token.word for token in words if token.kind == "word"]
    if any(tuple(names[: len(start)]) == start for start in _ALONE):
        return True
    if names[:1] == ["cluster"]:
        return len(names) == 1
    return "concurrently" in names and names[:1] != ["refresh"]


def _is_new(file: SqlFile, books: Books) -> bool:
    run = books.runs.get(file.name)
    if run is None:
        return file.version is None or not books.baseline or file.version > books.baseline
    if _same(file, run):
        return False
    if file.repeatable:
        return True
    raise SqlFileError(
        f"{file.name} was changed after it ran: {_checksums(file, run)}",
        hint="Give it back its old text, and put the change into a new file: "
        "what has run does not run again.",
    )


def _checksums(file: SqlFile, run: Run) -> str:
    if run.sha256 is not None:
        return f"its SHA-256 was {run.sha256[:12]}…, and is {file.sha256[:12]}…"
    return f"its checksum was {run.checksum}, and is {file.checksum}"


def _same(file: SqlFile, run: Run) -> bool:
    if run.sha256 is not None:
        return run.sha256 == file.sha256
    return run.checksum is None or run.checksum == file.checksum


def _refuse_failed(books: Books) -> None:
    failed = [run.name for run in books.runs.values() if not run.success]
    if failed:
        raise SqlFileError(
            f"{failed[0]} failed in an earlier run of Flyway",
            hint="Put right what it left behind, then: flyway repair.",
        )


def _refuse_missing(files: Sequence[SqlFile], books: Books) -> None:
    missing = sorted(books.runs.keys() - {file.name for file in files})
    if missing:
        raise SqlFileError(
            f"the database has run {', '.join(missing)}, and the directory lacks it",
            hint="Put the file back (a renamed one too): its place in the order is taken. "
            "An older commit is served without its migrations: roll back instead.",
        )


def _refuse_out_of_order(files: Sequence[SqlFile], new: Sequence[SqlFile]) -> None:
    ordered = [file for file in files if not file.repeatable]
    ran = [at for at, file in enumerate(ordered) if file not in new]
    late = [file for file in ordered[: max(ran, default=0)] if file in new]
    if late:
        last = ordered[max(ran)].name
        raise SqlFileError(
            f"{late[0].name} is new and comes before {last}, which has run",
            hint="Rename it, so that it comes last.",
        )
