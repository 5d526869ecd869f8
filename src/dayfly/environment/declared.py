"""environment.toml with all that the rooms below config know of it: its queries, its windows."""

from collections.abc import Iterator, Sequence
from itertools import chain

from msgspec.structs import replace

from dayfly.config import load
from dayfly.config.environment import Environment as Settings
from dayfly.config.environment import LogAlert, LogFeed
from dayfly.config.home import Home
from dayfly.config.problem import KeyPath, Problem
from dayfly.config.read import NOTHING, shown
from dayfly.environment.feeds import as_read
from dayfly.errors import UsageError
from dayfly.logs.feeding.settings import wrong
from dayfly.logs.query.parse import parse
from dayfly.logs.query.problem import QueryError
from dayfly.release.window import window


def settings_of(home: Home) -> Settings:
    """SettingsError names file, line and key also of a query that can't be read."""
    return load.settings_of(home, [problems])


def problems(settings: Settings) -> Sequence[Problem]:
    logs = settings.logs
    alerts = (_alert(("logs", "alert", name), alert) for name, alert in logs.alert.items())
    feeds = (_feed(("logs", "feed", name), name, feed) for name, feed in logs.feed.items())
    return list(chain.from_iterable((*alerts, *feeds)))


def _feed(at: KeyPath, name: str, feed: LogFeed) -> Iterator[Problem]:
    yield from _query((*at, "query"), feed.query)
    others = wrong(replace(as_read(name, feed), query=""))
    yield from (Problem((*at, key), says) for key, says in others)


def _alert(at: KeyPath, alert: LogAlert) -> Iterator[Problem]:
    yield from _query((*at, "query"), alert.query)
    for place, text in enumerate(alert.silent):
        try:
            window(text)
        except UsageError as error:
            yield Problem((*at, "silent", place), f"{error.message} {error.hint}")


def _query(at: KeyPath, text: str) -> Iterator[Problem]:
    if text == NOTHING:
        yield Problem(at, "is empty; `*` finds every record")
        return
    try:
        query = parse(text)
    except QueryError as error:
        yield Problem(at, f"column {error.column} of {shown(text)}: {error.says}")
        return
    if query.pipes:
        yield Problem(at, f"found a `|` in {shown(text)}, allowed are conditions only")
