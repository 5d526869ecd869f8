"""What the [logs] of a well-formed environment.toml may still not say.

What a query may be the logs themselves know: `environment.declared` asks them.
"""

from collections.abc import Iterator

from dayfly.config.alert_rules import told_problems
from dayfly.config.environment import LogAlert, LogFeed, Logs
from dayfly.config.names import named, secret_problem
from dayfly.config.problem import KeyPath, Problem
from dayfly.config.read import shown
from dayfly.config.units import Duration

SHORTEST, LONGEST = Duration(10), Duration(7 * 86400)  # of the time that an alert looks at
SOONEST_AGAIN = Duration(60)


def logs_problems(logs: Logs) -> Iterator[Problem]:
    yield from _amounts(logs)
    yield from _files(logs)
    yield from named(("logs", "alert"), logs.alert)
    for name, alert in logs.alert.items():
        at = ("logs", "alert", name)
        yield from _threshold(at, alert)
        yield from _times(at, alert)
        yield from told_problems(at, alert)
    yield from named(("logs", "feed"), logs.feed)
    for name, feed in logs.feed.items():
        yield from _feed(("logs", "feed", name), feed)


def _amounts(logs: Logs) -> Iterator[Problem]:
    ages: dict[KeyPath, float | None] = {
        ("logs", "app", name, "age"): app.age for name, app in logs.app.items()
    }
    amounts: dict[KeyPath, float | None] = {
        ("logs", "retention", "age"): logs.retention.age,
        ("logs", "retention", "size"): logs.retention.size,
        ("logs", "spool", "limit"): logs.spool.limit,
        **ages,
    }
    for at, amount in amounts.items():
        if amount == 0:
            yield Problem(at, "found 0, allowed is more than that")


def _files(logs: Logs) -> Iterator[Problem]:
    syslog = logs.syslog
    if syslog.tls and not syslog.certificate:
        says = "needs `certificate`, a PEM file with its key"
        yield Problem(("logs", "syslog", "tls"), says, (("logs", "syslog", "certificate"),))
    yield from named(("logs", "app"), logs.app)
    for key in ("syslog", "postgresql"):
        for place, path in enumerate(getattr(logs.host, key)):
            if not path.startswith("/") or path.endswith("/"):
                says = f"found {shown(path)}, allowed is a path from / on, such as /var/log/*.log"
                yield Problem(("logs", "host", key, place), says)


def _threshold(at: KeyPath, alert: LogAlert) -> Iterator[Problem]:
    keys: dict[str, tuple[int | None, int]] = {
        "more_than": (alert.more_than, 0),
        "fewer_than": (alert.fewer_than, 1),
    }
    both: tuple[KeyPath, ...] = tuple((*at, key) for key in keys)
    if sum(value is not None for value, _ in keys.values()) != 1:
        yield Problem(at, "allowed is one of `more_than` and `fewer_than`", both)
    for key, (value, least) in keys.items():
        if value is not None and value < least:
            yield Problem((*at, key), f"found {value}, allowed is {least} or more")


def _times(at: KeyPath, alert: LogAlert) -> Iterator[Problem]:
    if not SHORTEST <= alert.within <= LONGEST:
        says = f"found {alert.within}, allowed are {SHORTEST} to {LONGEST}"
        yield Problem((*at, "within"), says)
    if alert.again is not None and alert.again < SOONEST_AGAIN:
        says = f"found {alert.again}, allowed is {SOONEST_AGAIN} or more"
        yield Problem((*at, "again"), says)


def _feed(at: KeyPath, feed: LogFeed) -> Iterator[Problem]:
    if feed.secret is not None and (says := secret_problem(feed.secret)):
        yield Problem((*at, "secret"), says)
    if feed.user is not None and feed.secret is None:
        yield Problem((*at, "user"), "needs `secret`, its password", ((*at, "secret"),))
    if feed.acknowledged and feed.kind != "splunk":
        yield Problem((*at, "acknowledged"), "is of splunk only", ((*at, "kind"),))
    if not feed.most_behind:
        yield Problem((*at, "most_behind"), "found 0, allowed is more than that")
