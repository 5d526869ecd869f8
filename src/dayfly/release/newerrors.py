"""Whether the incoming release writes errors into its logs that the outgoing one never wrote."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dayfly.clock import SECOND
from dayfly.errors import DayflyError
from dayfly.logs.notice import noticed
from dayfly.logs.query import tree
from dayfly.logs.query.instants import iso
from dayfly.logs.query.severe import ERRORS
from dayfly.logs.query.written import text
from dayfly.release import fleet
from dayfly.release.work import Work

LOOK_SECONDS, AWAY_SECONDS = 2.0, 10.0  # between two looks; when the store did not answer
SEARCH_SECONDS = 3  # after which the store cuts a search short
SHOWN = 200  # characters of a pattern in a reason
Row = Mapping[str, Any]


class UnknownError(DayflyError):
    """The log store does not say it, or not for certain."""


class NewErrors:
    """Asked again and again while a release is watched; `unknown` says why nothing is known."""

    def __init__(self, work: Work, outgoing: int | None) -> None:
        self._work = work
        self._outgoing = outgoing
        self._limit = work.app.release.new_errors if outgoing else 0
        self._next = 0.0
        self._count = 0  # of errors at the last look
        self._since = _began(work)
        self.unknown = ""

    def breach(self, *, last: bool = False) -> str:
        """What is new; empty where nothing is. A `last` look does not wait for its time."""
        if not self._limit or (time.monotonic() < self._next and not last):
            return ""
        try:
            found = self._look()
        except DayflyError as error:
            self._next = time.monotonic() + AWAY_SECONDS
            self._tell(error.message)
            return ""
        self._next, self.unknown = time.monotonic() + LOOK_SECONDS, ""
        return found and self._work.parts.redactor(self._work.record.app)(found)

    def _look(self) -> str:
        """Most releases write no errors, or no more of them: that is found out at once."""
        count = self._counted(_errors(self._work, self._work.record.number), since=self._since)
        if count in (0, self._count):
            return ""
        found = worst(self._patterns(), self._limit)
        self._count = count
        return said(found) if found else ""

    def _patterns(self) -> Sequence[Row]:
        before = self._before()
        if not self._counted(_of(self._work, self._outgoing or 0), since=before):
            raise UnknownError(f"it has no records of release {self._outgoing}")
        [answer] = self._rows(
            "compare",
            query=text(tree.Query(wanted(self._work.record.app))),
            since=before,
            before=self._outgoing,
            after=self._work.record.number,
            after_since=self._since,
        )
        return list(answer["patterns"])

    def _before(self) -> str:
        """When the outgoing release began: what is missing of earlier times matters to nobody."""
        outgoing = self._work.parts.journal.release(self._outgoing or 0)
        return iso(round(outgoing.started * SECOND))

    def _counted(self, where: tree.Node, **told: object) -> int:
        rows = self._rows("search", query=text(tree.Query(where, (tree.Count(),))), **told)
        return sum(int(row["count"]) for row in rows)

    def _rows(self, question: str, **told: object) -> Iterator[Row]:
        for line in self._work.parts.logs(question, seconds=SEARCH_SECONDS, **told):
            row: Row = json.loads(line)
            notice = noticed(row)
            if "error" in notice:
                raise UnknownError(notice["error"])
            if cut := notice.get("cut") or row.get("cut"):
                raise UnknownError(f"its search was cut: {cut}")
            yield row

    def _tell(self, problem: str) -> None:
        if not self.unknown:
            message = f"New errors are not looked for, as the log store does not tell: {problem}"
            self._work.emit("note", message=message)
        self.unknown = problem


def worst(patterns: Sequence[Row], limit: int) -> Row | None:
    """The most frequent one, where it was written so many times."""
    often = [row for row in patterns if row["count"] >= limit]
    return max(often, key=lambda row: int(row["count"]), default=None)


def said(found: Row) -> str:
    times = "once" if found["count"] == 1 else f"{found['count']} times"
    first = str(found["pattern"]).strip().splitlines()[0] if found["pattern"].strip() else ""
    shown = first if len(first) <= SHOWN else f"{first[: SHOWN - 1]}…"
    return f"an error is new in the logs, {times}: {shown}"


def _began(work: Work) -> str:
    """Before its fleet was launched it was rehearsed, on a copy of the database."""
    started = [machine.started for machine in fleet.machines_of(work.parts, work.record)]
    return iso(round(min(started, default=time.time()) * SECOND))


def wanted(app: str) -> tree.Node:
    """Failed requests, which are in the access log, have a limit of their own."""
    return tree.And(
        (
            tree.Compare("app", "=", app),
            ERRORS,
            tree.Not(tree.Compare("stream", "=", "access")),
        )
    )


def _errors(work: Work, release: int) -> tree.Node:
    return tree.And((_of(work, release), wanted(work.record.app)))


def _of(work: Work, release: int) -> tree.Node:
    return tree.And(
        (tree.Compare("app", "=", work.record.app), tree.Compare("release", "=", release))
    )
