"""python -m bench: measure, print each line as it comes, write the page and its figures.

Exit status 1 when a bar was missed or a part failed; what this machine can't measure is skipped.
"""

import argparse
import os
import platform
import shlex
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import (
    browsing,
    crowd,
    cutovers,
    docker,
    files,
    forwarder,
    growth,
    images,
    impact,
    logs,
    proxy,
    releases,
    rest,
    tunnel,
)
from bench.page import About, as_json, lines_of, page
from bench.row import Row, Skipped
from bench.world import ROOT, calm, world
from dayfly.balancer.program import find_program
from dayfly.command import Setting, output_of

Found = Sequence[Row | Skipped]
FEW_LINES = 200_000
ON_ITS_OWN = frozenset(("images",))  # fetches packages and boots VMs: only where it is named
OF_LINES = frozenset(("logs", "growth", "browsing"))


def desk(rounds: int) -> Iterator[Row | Skipped]:
    with world() as made:
        made.dayfly("up")
        with releases.desk(made) as orders:
            yield from releases.measure(made, orders, rounds)
            yield from rest.measure(made)
            yield from rest.up_and_down(made, rounds)


def warm(rounds: int) -> Iterator[Row | Skipped]:
    with world() as made:
        made.dayfly("up")
        yield from cutovers.measure(made, rounds * 2)


def proxied(rounds: int) -> Iterator[Row | Skipped]:
    with world() as made:
        made.dayfly("up")
        yield from proxy.measure(made, rounds + 2)


def crowded(_: int) -> Iterator[Row | Skipped]:
    with world() as made:
        made.dayfly("up")
        yield from crowd.measure(made)


def docked(rounds: int) -> Iterator[Row | Skipped]:
    yield from docker.measure(rounds)


def assessed(rounds: int) -> Iterator[Row | Skipped]:
    yield from impact.measure(min(rounds, 3))


def logged(rounds: int, lines: int) -> Iterator[Row | Skipped]:
    yield from logs.measure(rounds, lines)


def grown(_: int, lines: int) -> Iterator[Row | Skipped]:
    yield from growth.measure(lines)


def browsed(rounds: int, lines: int) -> Iterator[Row | Skipped]:
    yield from browsing.measure(rounds, lines)


def forwarded(_: int) -> Iterator[Row | Skipped]:
    yield from forwarder.measure()


def archived(rounds: int) -> Iterator[Row | Skipped]:
    yield from files.measure(rounds)


def built(rounds: int) -> Iterator[Row | Skipped]:
    yield from images.measure(rounds)


def joined(rounds: int) -> Iterator[Row | Skipped]:
    yield from tunnel.measure(rounds)


PARTS: dict[str, Callable[..., Iterator[Row | Skipped]]] = {
    "desk": desk,
    "warm": warm,
    "proxy": proxied,
    "docker": docked,
    "crowd": crowded,
    "impact": assessed,
    "logs": logged,
    "growth": grown,
    "browsing": browsed,
    "forwarder": forwarded,
    "files": archived,
    "images": built,
    "tunnel": joined,
}


def main() -> int:
    asked = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended first
    began, load = time.monotonic(), os.getloadavg()
    found: list[Row | Skipped] = []
    failed = False
    for name in asked.parts:
        say(f"{name}:")
        try:
            calm()
            more = {"lines": asked.lines} if name in OF_LINES else {}
            for row in PARTS[name](asked.rounds, **more):
                say(lines_of(row))
                found.append(row)
        except Exception:  # noqa: BLE001 - one part that fails must not hide the others
            failed = True
            found.append(Skipped(name, "it failed"))
            say(traceback.format_exc())
    about = about_this(time.monotonic() - began, load, asked)
    if asked.page:
        asked.page.parent.mkdir(parents=True, exist_ok=True)
        asked.page.write_text(page(about, found))
        asked.page.with_suffix(".json").write_text(as_json(about, found))
        say(f"written: {asked.page} and {asked.page.with_suffix('.json').name}")
    missed = [row for row in found if isinstance(row, Row) and row.good is False]
    say(f"{len(missed)} bars missed, {about.seconds:.0f} s")
    return 1 if missed or failed else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (all but images)"
    )
    parser.add_argument("--rounds", type=int, default=7, help="how often each side runs (7)")
    many = f"of the logs, growth and browsing parts ({FEW_LINES})"
    parser.add_argument("--lines", type=int, default=FEW_LINES, help=many)
    parser.add_argument("--page", type=Path, help="write it here, and the figures beside it")
    asked = parser.parse_args()
    unknown = [name for name in asked.parts if name not in PARTS]
    if unknown:
        parser.error(f"{unknown[0]}: no such part; there are {', '.join(PARTS)}")
    asked.parts = asked.parts or [name for name in PARTS if name not in ON_ITS_OWN]
    return asked


def about_this(
    seconds: float, load: tuple[float, float, float], asked: argparse.Namespace
) -> About:
    git = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    cpus = len(os.sched_getaffinity(0))
    words = [*asked.parts, "--rounds", str(asked.rounds)]
    return About(
        date=datetime.now(UTC).isoformat(timespec="minutes"),
        commit=output_of(git, setting=Setting(cwd=ROOT)).strip(),
        machine=f"{cpus} CPUs, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {'root' if os.geteuid() == 0 else 'a plain user'}",
        load=f"{load[0]:.1f} before, {os.getloadavg()[0]:.1f} after (of 1 minute, with the bench)",
        seconds=round(seconds),
        haproxy=output_of([find_program(None), "-v"]).split()[2],
        command=shlex.join(["scripts/bench", *words]),
    )


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
