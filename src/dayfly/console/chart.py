"""Drawings as plain numbers: where bars, lines and ticks lie. Templates only write them down."""

from collections.abc import Sequence
from dataclasses import dataclass

from dayfly.progress import Progress, Sample

WIDTH, HEIGHT = 720, 200
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 14, 26
_LEAST = 0.6  # per cent: a stage of no time is still seen
_STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Bar:
    """One stage: where it begins and how long it is, in per cent of the whole."""

    stage: str
    outcome: str
    seconds: float
    start: float
    length: float


@dataclass(frozen=True)
class Line:
    """The requests per second of one release. `points` is SVG's own notation."""

    release: int
    incoming: bool
    points: str
    area: str
    last: float


@dataclass(frozen=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True)
class Chart:
    lines: tuple[Line, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    cutover: float | None
    errors: int


def bars(progress: Progress, now: float) -> tuple[Bar, ...]:
    """The stages of a release over its time; a running one reaches to `now`."""
    if not progress.stages:
        return ()
    start = progress.stages[0].started
    ends = [
        stage.started + (now - stage.started if stage.seconds is None else stage.seconds)
        for stage in progress.stages
    ]
    whole = max(max(ends) - start, 0.001)
    return tuple(
        Bar(
            stage.stage,
            stage.outcome or "running",
            end - stage.started,
            min(100 * (stage.started - start) / whole, 100 - _LEAST),
            max(100 * (end - stage.started) / whole, _LEAST),
        )
        for stage, end in zip(progress.stages, ends, strict=True)
    )


def traffic(progress: Progress) -> Chart | None:
    """Requests per second of each release over time; None as long as there is nothing to draw."""
    samples = progress.traffic
    if len(samples) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    start, end = samples[0].time, samples[-1].time
    releases = sorted({number for sample in samples for number in sample.rates})
    top = _top(max((rate for sample in samples for rate in sample.rates.values()), default=0))
    span = max(end - start, 0.001)
    moved = progress.cutover
    return Chart(
        lines=tuple(_line(number, samples, top, progress.release) for number in releases),
        across=tuple(Tick(_x(start + at, start, span), f"{at} s") for at in _ticks(span)),
        up=tuple(Tick(_y(share * top, top), f"{share * top:g}") for share in (0, 0.5, 1)),
        cutover=_x(moved, start, span) if moved and start <= moved <= end else None,
        errors=sum(samples[-1].errors.values()),
    )


def _line(number: int, samples: Sequence[Sample], top: float, incoming: int | None) -> Line:
    start, span = samples[0].time, max(samples[-1].time - samples[0].time, 0.001)
    points = " ".join(
        f"{_x(sample.time, start, span):.1f},{_y(sample.rates.get(number, 0.0), top):.1f}"
        for sample in samples
    )
    floor = _y(0, top)
    area = f"{LEFT},{floor:.1f} {points} {WIDTH - RIGHT},{floor:.1f}"
    last = samples[-1].rates.get(number, 0.0)
    return Line(number, number == incoming, points, area, last)


def _x(time: float, start: float, span: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * (time - start) / span, 1)


def _y(rate: float, top: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - rate / top), 1)


def _top(highest: float) -> float:
    """The next round number above, so that the scale stays calm while figures move."""
    scale = 1.0
    while True:
        for step in _STEPS:
            if highest <= step * scale:
                return max(step * scale, 2)
        scale *= 10


def _ticks(span: float) -> range:
    """About five whole seconds."""
    scale = 1
    while True:
        for step in _STEPS:
            if span / (step * scale) <= 6:  # noqa: PLR2004
                return range(0, int(span) + 1, step * scale)
        scale *= 10
