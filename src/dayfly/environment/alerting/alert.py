"""An alert as its operator meant it, and what is known of it: values that a file keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec

from dayfly.config.environment import LogAlert, ReleaseAlert
from dayfly.config.units import Duration
from dayfly.logs.query import tree
from dayfly.logs.query.parse import parse
from dayfly.release.receipt import iso
from dayfly.release.window import Window, window

State = Literal["calm", "stands"]
News = Literal["began", "stands", "ended", "failed", "rolled-back", "attention"]
Way = Literal["webhook", "command"]


@dataclass(frozen=True, kw_only=True)
class Alert:
    name: str
    told: LogAlert
    where: tree.Node
    windows: Sequence[Window]

    def passed(self, count: int) -> bool:
        if self.told.more_than is not None:
            return count > self.told.more_than
        return count < (self.told.fewer_than or 0)

    @property
    def threshold(self) -> str:
        if self.told.more_than is not None:
            return f"more than {self.told.more_than}"
        return f"fewer than {self.told.fewer_than}"

    @property
    def ways(self) -> Sequence[Way]:
        return ways_of(self.told)

    def body(self, message: "Message") -> dict[str, object]:
        return {
            "text": sentence(self, message),
            "alert": self.name,
            "news": message.news,
            "query": self.told.query,
            "count": message.count,
            "threshold": self.threshold,
            "within": str(Duration(self.told.within)),
            "since": iso(message.since),
        }


class Teller(Protocol):
    """What has something to tell."""

    @property
    def name(self) -> str: ...
    @property
    def told(self) -> LogAlert | ReleaseAlert: ...

    def body(self, message: "Message") -> dict[str, object]:
        """What a webhook is sent, but for what every message has; `text` is what chats show."""
        ...


def ways_of(told: LogAlert | ReleaseAlert) -> Sequence[Way]:
    ways: tuple[Way, ...] = ("webhook", "command")
    return [way for way in ways if getattr(told, way) is not None]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be told, once for each way."""

    id: str  # the same however often it is sent
    news: News
    time: float
    since: float = 0.0  # when it began
    count: int = 0
    # Of a release:
    app: str = ""
    release: int = 0
    says: str = ""


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """A message on its way to one who has not taken it yet."""

    way: Way
    message: Message
    failures: int = 0
    next: float = 0.0  # not tried before
    problem: str = ""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Of one alert. What is 0 was never; times are seconds since the epoch."""

    counted_from: float  # what is older counts for nothing: it was silent then, or nobody looked
    looked: float = 0.0  # the last look that had an answer
    count: int = 0  # what it found
    since: float = 0.0  # when it began; 0 while it does not stand
    held: float = 0.0  # when its threshold was last passed
    told: float = 0.0
    silent: bool = False
    problem: str = ""  # why nothing is known
    errands: tuple[Errand, ...] = ()
    event: int = 0  # of the journal: so far it was looked for what releases have to tell

    @property
    def state(self) -> State:
        return "stands" if self.since else "calm"


def meant(name: str, told: LogAlert) -> Alert:
    """QueryError and UsageError say what can't be read."""
    query = parse(told.query)
    return Alert(name=name, told=told, where=query.where, windows=list(map(window, told.silent)))


def sentence(alert: Alert, message: Message) -> str:
    """What a person reads, at most two lines of a telephone."""
    within = Duration(alert.told.within)
    found = f"{message.count} records within {within} ({alert.threshold}): {alert.told.query}"
    lasted = Duration(max(0, round(message.time - message.since)))
    match message.news:
        case "began":
            return f"{alert.name}: {found}"
        case "stands":
            return f"{alert.name} stands for {lasted}: {found}"
        case _:
            return f"{alert.name} has ended after {lasted}"
