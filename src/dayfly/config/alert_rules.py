"""Rules about whoever is told: of what the logs have, and of releases."""

import re
from collections.abc import Iterator, Mapping

from dayfly.config.environment import LogAlert, ReleaseAlert
from dayfly.config.names import named, secret_problem
from dayfly.config.problem import KeyPath, Problem

_WEB = re.compile(r"https?://[^/?#@\s]+(/\S*)?")


def alert_problems(alerts: Mapping[str, ReleaseAlert]) -> Iterator[Problem]:
    yield from named(("alert",), alerts)
    for name, alert in alerts.items():
        yield from told_problems(("alert", name), alert)


def told_problems(at: KeyPath, alert: LogAlert | ReleaseAlert) -> Iterator[Problem]:
    either: tuple[KeyPath, ...] = ((*at, "webhook"), (*at, "command"))
    if alert.webhook is None and alert.command is None:
        yield Problem(at, "tells nobody; it needs `webhook`, `command` or both", either)
    if alert.webhook is not None and not _WEB.fullmatch(alert.webhook):
        # What was found may hold a password.
        says = 'allowed is a URL such as "https://hooks.example/alerts"'
        yield Problem((*at, "webhook"), says)
    if alert.command is not None and not alert.command.strip():
        yield Problem((*at, "command"), "is empty")
    if alert.webhook_secret is not None:
        yield from _webhook_secret(at, alert, alert.webhook_secret)


def _webhook_secret(at: KeyPath, alert: LogAlert | ReleaseAlert, name: str) -> Iterator[Problem]:
    if says := secret_problem(name):
        yield Problem((*at, "webhook_secret"), says)
    if alert.webhook is None:
        none = "is shown to a webhook, and there is none"
        yield Problem((*at, "webhook_secret"), none, ((*at, "webhook"),))
