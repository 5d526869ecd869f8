"""Watch a release to its end: live on a terminal, plain lines in a pipe."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from dayfly import progress
from dayfly.cli import show
from dayfly.cli.output import ask, clean, cleaned, is_terminal, live_console, paint, say
from dayfly.client import Client
from dayfly.events import Event
from dayfly.progress import Progress
from dayfly.shown import duration

_GOOD = {"serving", "warm", "retired", "assessed", "waiting"}
_LAST_LINES = 20


@dataclass
class _Screen:
    """What is on it. The thread that draws reads `progress`; the one that follows replaces it."""

    progress: Progress

    def take(self, event: Event) -> None:
        shown = replace(event, data=cleaned(dict(event.data)))
        self.progress = progress.after(self.progress, shown)


def follow(client: Client, number: int, *, who: str, after: int = 0) -> int:
    """Show release `number` until it ends; 0 when it serves (or did), else 1.

    With `after` only what comes after that event: a rollback to a release that ended long ago.

    Ctrl-C asks whether to stop it; without a terminal the release is left running.
    """
    screen = _Screen(Progress(release=number, last=after))
    while True:
        try:
            _show(client, number, screen)
            break
        except KeyboardInterrupt:
            if not _wants_stop(number):
                say(f"Release {number} goes on; `dayfly release --follow {number}` shows it.")
                return 130
            client.post(f"/api/releases/{number}/stop", {"who": who, "reason": "Ctrl-C"})
    return _ended(client, number, screen.progress)


def _show(client: Client, number: int, screen: _Screen) -> None:
    events = client.events(f"/api/releases/{number}/events", screen.progress.last)
    if is_terminal():
        with _drawn(screen):
            for event in events:
                screen.take(event)
        say(*_head(screen.progress), *_stage_lines(screen.progress))
        return
    for event in events:
        before = screen.progress
        screen.take(event)
        say(*told(before, screen.progress, event))


@contextmanager
def _drawn(screen: _Screen) -> Iterator[None]:
    from rich.console import RenderableType  # noqa: PLC0415 - only a terminal pays for it
    from rich.live import Live  # noqa: PLC0415

    from dayfly.cli.view import view  # noqa: PLC0415

    def renderable() -> RenderableType:
        return view(screen.progress, time.time())

    with Live(
        get_renderable=renderable,
        console=live_console(),
        refresh_per_second=8,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield


def told(before: Progress, now: Progress, event: Event) -> list[str]:
    """What an event is worth in plain lines: stages as they end, notes, deaths of machines."""
    if event.kind in {"release.started", "rollback.started"}:
        return _head(now)
    if event.kind == "stage.finished":
        return _stage_lines(replace(now, stages=now.stages[-1:]))
    if event.kind in {"note", "alert"}:
        return [f"  {now.notes[-1]}"]
    if event.kind == "machine.died" and now.machines != before.machines:
        dead = [
            seen for seen in now.machines if seen.state == "died" and seen not in before.machines
        ]
        return [f"  machine {seen.machine} died: {seen.reason}" for seen in dead]
    return []


def _head(now: Progress) -> list[str]:
    commit = paint("dim", show.short(now.commit))
    title = f"release {now.release} of {now.app}" if now.app else f"release {now.release}"
    return [f"{paint('strong', title)}  {commit} {now.subject}".rstrip()]


def _stage_lines(now: Progress) -> list[str]:
    return [
        f"  {stage.stage:10} {duration(stage.seconds):>10}  {show.outcome(stage.outcome or '')}"
        for stage in now.stages
    ]


def _ended(client: Client, number: int, now: Progress) -> int:
    """The receipt; before it, of a failed release, the last words of what failed."""
    if now.rollback and not now.receipt:  # stopping what was under way was all of it
        say("", f"release {number} {show.outcome(clean(now.outcome or ''))}  {clean(now.reason)}")
        return 0
    kept = client.get(f"/api/releases/{number}")
    mine = {"outcome": now.outcome, "contract": None, **now.receipt} if now.receipt else {}
    shown = cleaned({**kept, **mine})
    if not is_terminal():
        shown["notes"] = []  # a pipe has had them as they came
    say("", *_last_words(now), *show.receipt(shown, stages=False))
    good = now.outcome in _GOOD
    if not good and (now.output or now.outcome != "refused"):
        say("", f"`dayfly logs --release {number}` prints all of its output.")
    return 0 if good else 1


def _last_words(now: Progress) -> list[str]:
    if now.outcome in _GOOD:
        return []
    dead = [line for seen in now.machines for line in seen.tail.splitlines()]
    said = [f"{source}: {line}" for source, line in now.output]
    lines = (dead or said)[-_LAST_LINES:]
    return [*(paint("dim", f"  {clean(line)}") for line in lines), ""] if lines else []


def _wants_stop(number: int) -> bool:
    if not is_terminal():
        return False
    while True:
        answer = ask(f"\nStop release {number}, or leave it running? [s/l]").lower()
        if answer in {"s", "stop"}:
            return True
        if answer in {"l", "leave", ""}:
            return False
