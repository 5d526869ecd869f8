"""Releases that somebody has to know of: the journal is read on, and who wants it is told."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from msgspec.structs import replace

from dayfly.config.environment import ReleaseAlert
from dayfly.environment.alerting.alert import Errand, Known, Message, News, Way, ways_of
from dayfly.environment.alerting.book import Book
from dayfly.environment.alerting.judging import MOST_ERRANDS
from dayfly.events import Event

READ_AT_ONCE = 1000


class Happened(Protocol):
    """The journal, as far as it is read here."""

    def events(self, *, after: int, limit: int) -> Sequence[Event]: ...
    def last_event(self) -> int: ...


class _Nothing:
    def events(self, *, after: int, limit: int) -> Sequence[Event]:  # noqa: ARG002 - none are there
        return ()

    def last_event(self) -> int:
        return 0


NOTHING: Happened = _Nothing()


@dataclass(frozen=True, kw_only=True)
class Releases:
    """One alert of releases, as its operator meant it."""

    name: str
    told: ReleaseAlert

    def body(self, message: Message) -> dict[str, object]:
        return {
            "text": _sentence(message),
            "alert": self.name,
            "news": message.news,
            "app": message.app,
            "release": message.release,
            "reason": message.says,
        }

    @property
    def ways(self) -> Sequence[Way]:
        return ways_of(self.told)

    def wants(self, event: Event) -> bool:
        return not self.told.apps or event.app in self.told.apps


@dataclass(frozen=True)
class Reader:
    """Call `round` again and again. What happened before the first one is not told."""

    alerts: Sequence[Releases]
    book: Book
    happened: Happened

    def round(self) -> None:
        for alert in self.alerts:
            known = self.book.all().get(key_of(alert.name))
            if known is None:
                began = Known(counted_from=0.0, event=self.happened.last_event())
                self.book.change(key_of(alert.name), partial(_begun, began=began))
            elif events := self.happened.events(after=known.event, limit=READ_AT_ONCE):
                self._take(alert, events)

    def _take(self, alert: Releases, events: Sequence[Event]) -> None:
        messages = [m for event in events if alert.wants(event) and (m := message_of(event))]
        errands = [Errand(way=way, message=m) for m in messages for way in alert.ways]

        def change(before: Known | None) -> Known:
            known = before or Known(counted_from=0.0)
            kept = (*known.errands, *errands)[-MOST_ERRANDS:]
            return replace(known, event=events[-1].number, errands=kept)

        self.book.change(key_of(alert.name), change)


def _begun(before: Known | None, began: Known) -> Known:
    return before or began


def key_of(name: str) -> str:
    """In the book, beside those of the logs."""
    return f"release {name}"


def message_of(event: Event) -> Message | None:
    """None for nearly everything that happens."""
    news = _news(event)
    if news is None:
        return None
    says = event.data.get("message") or event.data.get("reason") or ""
    return Message(
        id=os.urandom(8).hex(),
        news=news,
        time=event.time,
        app=event.app or "",
        release=event.release or 0,
        says=str(says),
    )


def _news(event: Event) -> News | None:
    outcome = event.data.get("outcome")
    if event.kind in {"alert", "machine.drifted"}:
        return "attention"
    if event.kind == "release.finished" and outcome in {"failed", "rolled-back"}:
        return "failed" if outcome == "failed" else "rolled-back"
    if event.kind == "rollback.finished" and outcome == "failed":
        return "failed"
    return None


def _sentence(message: Message) -> str:
    what = f"release {message.release} of {message.app}"
    match message.news:
        case "attention":
            return f"{message.app}: {message.says}"
        case "rolled-back":
            return f"{what} was rolled back: {message.says}"
        case _:
            return f"{what} failed: {message.says}"
