"""Alerts on the page of the logs: those that stand first, each leading to what it finds."""

from collections.abc import Sequence
from dataclasses import dataclass

from dayfly.console.state import Json


@dataclass(frozen=True, kw_only=True)
class Shown:
    """All of them, and how many stand."""

    alerts: Sequence[Json]
    standing: int


def shown(alerts: Sequence[Json]) -> Shown:
    calm_last = sorted(alerts, key=lambda each: each["state"] == "calm")
    standing = sum(each["state"] != "calm" for each in alerts)
    return Shown(alerts=calm_last, standing=standing)
