"""The page and the JSON: what was measured, where, and what came of it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from bench.row import Row, Skipped

FAR = 100  # from here on no decimals


@dataclass(frozen=True, kw_only=True)
class About:
    """Where and when it ran."""

    date: str
    commit: str
    machine: str
    load: str  # what else ran, as load averages before and after
    seconds: float
    haproxy: str
    command: str


def table(rows: Sequence[Row]) -> list[str]:
    lines = ["| what | with Dayfly | without | ratio | bar | passed |", "|---|--:|--:|--:|---|---|"]
    for row in rows:
        floor = "" if row.floor is None else figure(row.floor, row.unit)
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}×"
        lines.append(
            f"| {row.what} | {figure(row.ours, row.unit)} | {floor} | {ratio}"
            f" | {row.bar} | {row.verdict} |"
        )
    return lines


def figure(value: float, unit: str) -> str:
    """Three digits that mean something.

    >>> figure(0.03565, "s"), figure(8.2697, "s"), figure(41250.0, "µs"), figure(0, "")
    ('0.036 s', '8.27 s', '41,250 µs', '0')
    """
    if value == int(value) or value >= FAR:
        shown = f"{value:,.0f}"
    else:
        shown = f"{value:.3f}" if value < 1 else f"{value:.2f}"
    return f"{shown} {unit}".strip()


def page(about: About, found: Sequence[Row | Skipped]) -> str:
    """Markdown."""
    lines = [
        "# What Dayfly costs",
        "",
        "Both sides of every ratio ran in this one run, in turns; each figure is a median,",
        "and each ratio the median of the ratios of its turns.",
        "Read the ratios: the times are this machine's.",
        "",
        *(f"- {name}: {value}" for name, value in asdict(about).items()),
    ]
    for part in dict.fromkeys(each.part for each in found):
        rows = [each for each in found if isinstance(each, Row) and each.part == part]
        lines += ["", f"## {part[0].upper()}{part[1:]}", ""]
        left_out = [each for each in found if isinstance(each, Skipped) and each.part == part]
        lines += [f"Not measured: {each.why}." for each in left_out]
        lines += table(rows) if rows else []
        notes = [f"- {row.what}: {row.note}" for row in rows if row.note]
        lines += ["", *notes] if notes else []
    return "\n".join(lines) + "\n"


def as_json(about: About, found: Sequence[Row | Skipped]) -> str:
    rows = [{**asdict(e), "verdict": e.verdict} for e in found if isinstance(e, Row)]
    skipped = [asdict(e) for e in found if isinstance(e, Skipped)]
    return json.dumps({**asdict(about), "rows": rows, "skipped": skipped}, indent=1) + "\n"


def lines_of(row: Row | Skipped) -> str:
    """One line for the terminal."""
    if isinstance(row, Skipped):
        return f"  {row.part}: not measured: {row.why}"
    floor = "" if row.floor is None else f"  without {figure(row.floor, row.unit)}"
    ratio = "" if row.ratio is None else f"  {row.ratio:.2f}×"
    bar = f"  bar {row.bar}: {row.verdict}" if row.bar else ""
    return (
        f"  {row.what:52} {figure(row.ours, row.unit):>10}{floor}{ratio}{bar}  {row.note}".rstrip()
    )
