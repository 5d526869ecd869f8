"""Alerts of the logs, as lines for a person."""

from collections.abc import Sequence

from dayfly.cli.output import paint, table
from dayfly.cli.show import Json, moment, status

NONE = "There are no alerts: [logs.alert.NAME] in environment.toml declares one."


def status_lines(value: Json) -> list[str]:
    """The status, and below it the alerts that somebody has to know of."""
    alerts = value.get("alerts", ())
    return [*status(value), *([""] if alerts else []), *(_standing(each) for each in alerts)]


def _standing(alert: Json) -> str:
    head = f"alert {paint('strong', alert['alert'])}"
    if alert["state"] == "stands":
        since = f"stands since {moment(alert['since'])}"
        head += f" {paint('bad', since)}  {_found(alert)}  {alert['query']}"
    problems = "; ".join(alert["problems"])
    return f"{head}  {paint('warn', problems)}" if problems else head


def _found(alert: Json) -> str:
    found = "-" if alert["count"] is None else str(alert["count"])
    return f"{found} in {alert['within']}, {alert['threshold']}"


def alert_lines(value: Sequence[Json]) -> list[str]:
    if not value:
        return [NONE]
    rows = [
        (each["alert"], _state(each), _found(each), ", ".join(each["ways"]), each["query"])
        for each in value
    ]
    lines = table(rows, head=("alert", "state", "found", "tells", "query"))
    wrong = [(each["alert"], problem) for each in value for problem in each["problems"]]
    return [*lines, *(f"{paint('bad', '!')} {name}: {problem}" for name, problem in wrong)]


def _state(alert: Json) -> str:
    stands = paint("bad", f"stands since {moment(alert['since'])}")
    shown = stands if alert["state"] == "stands" else paint("good", "calm")
    return f"{shown} (silent)" if alert["silent"] else shown
