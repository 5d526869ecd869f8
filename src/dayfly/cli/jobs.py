"""Scheduled jobs, as lines for a person."""

from collections.abc import Sequence

from dayfly.cli.output import table
from dayfly.cli.show import Json, moment, outcome


def job_lines(value: Sequence[Json]) -> list[str]:
    if not value:
        return ["This application has no jobs."]
    rows = [_row(entry) for entry in value]
    return table(rows, head=("job", "schedule", "next", "last", "ended", "machine"))


def _row(entry: Json) -> tuple[str, ...]:
    runs = entry.get("runs") or [{}]
    last = runs[0]
    status = last.get("status")
    ended = "-" if status is None else outcome("done" if status == 0 else f"status {status}")
    return (
        entry["job"],
        entry["schedule"],
        moment(entry.get("next")),
        moment(last.get("started")),
        ended,
        last.get("machine") or "-",
    )
