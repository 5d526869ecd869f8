"""From the server's log to the transactions that were committed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dayfly.database.books import looks_into_books
from dayfly.database.captured import Statement, Transaction
from dayfly.database.logged import Entry
from dayfly.database.parameters import filled
from dayfly.database.session_settings import SessionSettings
from dayfly.database.sqltext import significant, split
from dayfly.database.statements import Control, Known, control, of_the_tool, only_reads

ERRORS = frozenset({"ERROR", "FATAL", "PANIC"})
_EXECUTED = "execute "
_STATEMENT = "statement: "
# They commit on their way, so that their error bears the number of a later transaction.
_IN_SEVERAL = frozenset({"concurrently", "vacuum", "call", "do", "reindex", "cluster"})


@dataclass
class _Ended:
    """Work that is committed, unless the entry after it says that committing failed."""

    at: int
    session: str
    transaction: str
    text: str  # as logged
    statements: list[str]
    block: bool


@dataclass
class _Session:
    """What one connection has done since its last transaction."""

    statements: list[str] = field(default_factory=list)
    savepoints: list[tuple[str, int]] = field(default_factory=list)
    block: bool = False
    failed: bool = False
    ended: list[_Ended] = field(default_factory=list)
    settled: list[_Ended] = field(default_factory=list)

    def take(self, at: int, entry: Entry, text: str) -> None:
        """A text that the server was about to execute."""
        if not (self.ended and self.ended[-1].transaction == entry.transaction):
            self.settle()
        for piece in split(text):
            order = control(piece.text)
            if order:
                self._obey(
                    order, _Ended(at, entry.session, entry.transaction, text, [], block=True)
                )
            elif self.block:
                self.statements.append(piece.text)
            else:
                self._alone(
                    _Ended(at, entry.session, entry.transaction, text, [piece.text], block=False)
                )

    def settle(self) -> None:
        """What ended before has gone well: the session went on."""
        self.settled += self.ended
        self.ended = []

    def fail(self, entry: Entry) -> None:
        if self.block:
            self.failed = True
        last = self.ended[-1] if self.ended else None
        if last and (
            last.transaction == entry.transaction
            or (last.text == entry.query and _in_several(last.statements))
        ):
            self.ended.pop()

    def _alone(self, ending: _Ended) -> None:
        """Outside a block; what the server runs in one transaction belongs together."""
        if self._same(ending):
            self.ended[-1].statements += ending.statements
            self.ended[-1].at = ending.at
        else:
            self.ended.append(ending)

    def _obey(self, order: Control, ending: _Ended) -> None:
        match order.verb:
            case "begin":
                self._begin(ending)
            case "commit" | "rollback":
                self._end(order, ending)
            case "savepoint":
                self.savepoints.append((order.name, len(self.statements)))
            case "release":
                self._back_to(order.name)
            case _:
                length = self._back_to(order.name)
                if length is not None:
                    del self.statements[length:]
                    self.savepoints.append((order.name, length))
                    self.failed = False

    def _begin(self, ending: _Ended) -> None:
        if self.block:
            return
        if self._same(ending):  # in one text before BEGIN: it belongs to the block
            self.statements = self.ended.pop().statements
        self.block = True

    def _same(self, other: _Ended) -> bool:
        """Whether what ended last, outside a block, is of the same transaction."""
        last = self.ended[-1] if self.ended else None
        return bool(last and not last.block and last.transaction == other.transaction)

    def _end(self, order: Control, ending: _Ended) -> None:
        if order.verb == "commit" and self.block and not self.failed:
            ending.statements = self.statements
            self.ended.append(ending)
        elif order.verb == "rollback" and not self.block and self._same(ending):
            self.ended.pop()
        self.statements, self.savepoints = [], []
        self.block, self.failed = order.chain, False

    def _back_to(self, name: str) -> int | None:
        """Forget the savepoints from the newest one of that name on; where it stood."""
        for at in reversed(range(len(self.savepoints))):
            if self.savepoints[at][0] == name:
                length = self.savepoints[at][1]
                del self.savepoints[at:]
                return length
        return None


def transactions(entries: Iterable[Entry], known: Known) -> Iterator[Transaction]:
    """What was committed, in the order of the commits, without the tool's own questions."""
    sessions: dict[str, _Session] = {}
    looks: dict[str, int] = {}  # by session, when it first looked into the books
    for at, entry in enumerate(entries):
        session = sessions.setdefault(entry.session, _Session())
        if entry.severity in ERRORS:
            session.fail(entry)
        else:
            text = executed(entry)
            if text:
                session.take(at, entry, text)
                if entry.session not in looks and looks_into_books(text):
                    looks[entry.session] = at
    for session in sessions.values():
        session.settle()
    ended = [each for session in sessions.values() for each in session.settled]
    yield from _told(sorted(ended, key=lambda one: one.at), known, looks)


def _told(ended: Iterable[_Ended], known: Known, looks: Mapping[str, int]) -> Iterator[Transaction]:
    first = min(looks.values(), default=0)
    settings: dict[str, SessionSettings] = {}
    for each in ended:
        session = settings.setdefault(each.session, SessionSettings())
        kept = [text for text in each.statements if not of_the_tool(text, known)]
        texts = list(session.with_work(kept))
        block = each.block or len(each.statements) > 1
        parts = [texts] if block else [[text] for text in texts]  # a setting stands alone too
        for part in filter(None, parts):
            yield Transaction(
                statements=tuple(Statement(text=text) for text in part),
                block=block,
                early=each.at < first,
                reads=each.session in looks and all(only_reads(text, known) for text in part),
            )


def executed(entry: Entry) -> str:
    """The text that an entry says is executed, parameters filled in; empty for other entries."""
    if entry.severity != "LOG":
        return ""
    if entry.message.startswith(_STATEMENT):
        return entry.message.removeprefix(_STATEMENT)
    if entry.message.startswith(_EXECUTED) and not entry.message.startswith("execute fetch from "):
        _, _, text = entry.message.partition(": ")
        return filled(text, entry.detail)
    return ""


def _in_several(statements: list[str]) -> bool:
    words = {token.word for text in statements for token in significant(text[:1000])}
    return bool(words & _IN_SEVERAL)
