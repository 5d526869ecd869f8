"""What SQL files do, told from their text: where no log says what was executed."""

from collections.abc import Iterable, Iterator, Sequence

from dayfly.database.captured import Statement, Transaction
from dayfly.database.sqlfiles import AGAIN, changes_session
from dayfly.database.sqlnames import SqlFile
from dayfly.database.sqlplan import alone
from dayfly.database.sqltext import split
from dayfly.database.statements import control


def declared(files: Iterable[SqlFile]) -> tuple[Transaction, ...]:
    """In the transactions in which Dayfly runs them, without its bookkeeping."""
    return tuple(one for file in files for one in _of(file))


def _of(file: SqlFile) -> Iterator[Transaction]:
    texts = [piece.text for piece in split(file.text)]
    if changes_session(file.text):
        texts.append(AGAIN)
    if alone(file.text):
        yield from _one_by_one(file, texts)
    else:
        yield _transaction(file, texts, block=True)


def _one_by_one(file: SqlFile, texts: Iterable[str]) -> Iterator[Transaction]:
    """But for the transactions that the file itself opens."""
    block: list[str] | None = None
    for text in texts:
        verb = getattr(control(text), "verb", "")
        if verb == "begin":
            block = []
        elif verb in {"commit", "rollback"}:
            if block and verb == "commit":
                yield _transaction(file, block, block=True)
            block = None
        elif block is not None:
            block.append(text)
        elif not verb:
            yield _transaction(file, [text], block=False)


def _transaction(file: SqlFile, texts: Sequence[str], *, block: bool) -> Transaction:
    statements = tuple(Statement(text=text, migration=file.name) for text in texts)
    return Transaction(statements=statements, block=block)
