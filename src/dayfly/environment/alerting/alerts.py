"""All alerts of an environment: the log store is asked again and again."""

import json
import time
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from dayfly.client import Client
from dayfly.clock import SECOND
from dayfly.config.cron import zone_of
from dayfly.config.environment import Environment as Settings
from dayfly.config.home import Home
from dayfly.config.secrets import Secrets
from dayfly.config.units import Duration
from dayfly.environment import logstore
from dayfly.environment.alerting import judging
from dayfly.environment.alerting.alert import Alert, Known, Teller, Way, meant
from dayfly.environment.alerting.book import Book
from dayfly.environment.alerting.messenger import Messenger, heads
from dayfly.environment.alerting.releases import (
    NOTHING,
    Happened,
    Reader,
    Releases,
    key_of,
)
from dayfly.errors import DayflyError
from dayfly.events import Emit, silent
from dayfly.logs.notice import noticed
from dayfly.logs.query import tree
from dayfly.logs.query.instants import iso as exactly
from dayfly.logs.query.written import text
from dayfly.release.receipt import iso
from dayfly.rounds import Rounds

BEGAN, ENDED = "logs.alert.began", "logs.alert.ended"
ROUND_SECONDS = 1.0
COUNT_SECONDS = 20  # that one search may take
ANSWER_SECONDS = 30.0


class Alerts:
    """`closed` are the apps that a release keeps closed at the moment."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        closed: Callable[[], Collection[str]],
        emit: Emit = silent,
        happened: Happened = NOTHING,
    ) -> None:
        self._home = home
        self._zone = zone_of(settings.time_zone)
        self._closed = closed
        self._emit = emit
        self.alerts = {name: meant(name, told) for name, told in settings.logs.alert.items()}
        self._releases = {
            key_of(name): Releases(name=name, told=told) for name, told in settings.alert.items()
        }
        tellers: dict[str, Teller] = {**self.alerts, **self._releases}
        self._book = Book(home.alerts, tellers)
        self._reader = Reader([*self._releases.values()], self._book, happened)
        self._messenger = Messenger(settings.name, tellers, self._book, Secrets(home.secrets))
        self._rounds = Rounds("alerts", ROUND_SECONDS, self.round)
        self._due: dict[str, float] = {}

    def start(self) -> None:
        if self.alerts or self._releases:
            self._rounds.start()
            self._messenger.start()

    def close(self) -> None:
        if self.alerts or self._releases:
            self._rounds.close()
            self._messenger.close()
            self._book.close()

    def round(self) -> None:
        self._reader.round()
        for alert in self.alerts.values():
            began = time.monotonic()
            if began >= self._due.get(alert.name, began):
                self._look(alert)
                self._due[alert.name] = began + judging.pause(alert, time.monotonic() - began)

    def _look(self, alert: Alert) -> None:
        now = time.time()
        known = judging.begun(self._book.all().get(alert.name), alert, now)
        if self._silent(alert, now):
            self._book.change(alert.name, lambda before: judging.quiet(before or known, now))
            return
        since = judging.span_begin(known, alert, now)
        try:
            count = counted(self._client(), alert, since=since, until=now)
        except DayflyError as error:
            self._book.change(alert.name, partial(_unknown, known=known, problem=error.message))
            return
        after = self._book.change(
            alert.name,
            # errands may have been done since
            lambda before: judging.after(
                replace(known, errands=before.errands if before else ()), alert, count, now
            ),
        )
        if after.state != known.state:
            kind = BEGAN if after.since else ENDED
            self._emit(kind, alert=alert.name, count=count, query=alert.told.query)

    def _silent(self, alert: Alert, now: float) -> bool:
        openings = (window.opening(now, self._zone) for window in alert.windows)
        if any(opening and opening.holds(now) for opening in openings):
            return True
        return judging.concerned(alert, self._closed())

    def _client(self) -> Client:
        return logstore.client(self._home, seconds=ANSWER_SECONDS)

    def told(self) -> list[dict[str, Any]]:
        """As `dayfly logs alerts` shows them, in the order of environment.toml."""
        known = self._book.all()
        return [_told(alert, known.get(name)) for name, alert in self.alerts.items()]

    def untold(self) -> list[dict[str, Any]]:
        """Of releases those that reach nobody, in the same form."""
        known = self._book.all()
        return [
            _untold(alert.name, alert.ways, problems)
            for key, alert in self._releases.items()
            if key in known and (problems := problems_of(known[key]))
        ]


def _unknown(before: Known | None, known: Known, problem: str) -> Known:
    return replace(before or known, problem=problem)


def counted(client: Client, alert: Alert, *, since: float, until: float) -> int:
    """How many records there are; DayflyError where the store can't say it for certain."""
    found = 0
    for line in client.lines(
        "/search",
        query=text(tree.Query(alert.where, (tree.Count(),))),
        since=exactly(round(since * SECOND)),
        until=exactly(round(until * SECOND)),
        seconds=COUNT_SECONDS,
    ):
        row = json.loads(line)
        told = noticed(row)
        if not told:
            found += int(row["count"])
        elif "error" in told:
            raise DayflyError(told["error"], hint=told["hint"])
        elif alert.told.more_than is None or not alert.passed(found):
            raise DayflyError(f"the search was cut: {told['cut']}")
    return found


def _told(alert: Alert, known: Known | None) -> dict[str, Any]:
    seen = known or Known(counted_from=0.0)
    return {
        "alert": alert.name,
        "query": alert.told.query,
        "threshold": alert.threshold,
        "within": str(Duration(alert.told.within)),
        "state": seen.state,
        "since": iso(seen.since or None),
        "count": seen.count if seen.looked else None,
        "looked": iso(seen.looked or None),
        "silent": seen.silent,
        "ways": list(alert.ways),
        "problems": problems_of(seen),
    }


def _untold(name: str, ways: Sequence[Way], problems: Sequence[str]) -> dict[str, Any]:
    nothing = dict.fromkeys(("since", "count", "looked"))
    words = {"query": "releases", "threshold": "", "within": "", "state": "calm"}
    told = {"alert": name, **words, **nothing, "silent": False, "ways": [*ways]}
    return told | {"problems": [*problems]}


def problems_of(known: Known) -> list[str]:
    """Why nothing is known, and who takes no message."""
    waiting = heads(known).values()
    problems = [f"{errand.way}: {errand.problem}" for errand in waiting if errand.problem]
    return [*([known.problem] if known.problem else []), *problems]
