"""A release under way, drawn for a terminal: a pure function from its progress to a picture."""

from rich.console import Group, RenderableType
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from dayfly.cli import show
from dayfly.progress import Progress, Seen, Stage
from dayfly.shown import duration

_LINES = 8  # of output
_BAR = 40
_WORDS = {"done": "green", "healthy": "green", "launched": "cyan", "died": "bold red"}


def view(now: Progress, clock: float) -> RenderableType:
    """`clock` in seconds since the epoch."""
    parts: list[RenderableType] = [_title(now, clock), _stages(now, clock)]
    if now.machines:
        parts.append(_machines(now))
    if now.traffic:
        parts.append(_traffic(now))
    parts += [Text(f"  {note}", style="yellow") for note in now.notes[-3:]]
    parts += [
        Text(f"  {source}: {line}", style="dim", no_wrap=True, overflow="ellipsis")
        for source, line in now.output[-_LINES:]
    ]
    return Group(*parts)


def _title(now: Progress, clock: float) -> Text:
    passed = duration(clock - now.started) if now.started else ""
    return Text.assemble(
        (f"release {now.release}", "bold"),
        f" of {now.app}  " if now.app else "  ",
        (show.short(now.commit), "dim"),
        f" {now.subject}  ",
        (passed, "dim"),
        no_wrap=True,
        overflow="ellipsis",
    )


def _stages(now: Progress, clock: float) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=1)
    grid.add_column(min_width=10)
    grid.add_column(justify="right", min_width=9)
    grid.add_column()
    for stage in now.stages:
        grid.add_row(*_stage(stage, clock))
    return grid


def _stage(stage: Stage, clock: float) -> tuple[RenderableType, ...]:
    if stage.outcome is None:
        passed = duration(max(clock - stage.started, 0))
        mark = Spinner("dots", style="cyan")
        return mark, Text(stage.stage, style="bold"), Text(passed), Text("")
    good = stage.outcome in {"done", "ok"}
    return (
        Text("✓" if good else "·", style="green" if good else "yellow"),
        Text(stage.stage),
        Text(duration(stage.seconds), style="dim"),
        Text("" if good else stage.outcome),
    )


def _machines(now: Progress) -> Table:
    grid = Table.grid(padding=(0, 2))
    for seen in now.machines[-12:]:
        grid.add_row("", *_machine(seen))
    return grid


def _machine(seen: Seen) -> tuple[Text, ...]:
    style = _WORDS.get(seen.state, "yellow")
    after = f"after {duration(seen.seconds)}" if seen.seconds is not None else seen.reason
    return Text(seen.machine), Text(seen.address), Text(seen.state, style), Text(after, "dim")


def _traffic(now: Progress) -> Text:
    """A bar: how much of the traffic the incoming fleet has."""
    sample = now.traffic[-1]
    incoming = sample.rates.get(now.release or 0, 0.0)
    outgoing = sum(rate for number, rate in sample.rates.items() if number != now.release)
    total = incoming + outgoing
    share = round(_BAR * incoming / total) if total else 0
    errors = sum(sample.errors.values())
    return Text.assemble(
        "  traffic  ",
        ("━" * share, "green"),
        ("━" * (_BAR - share), "dim"),
        f"  {incoming:.0f}/s of {total:.0f}/s",
        (f"  errors {errors}" if errors else "", "bold red"),
    )
