"""Twenty cutovers for each runtime under all kinds of traffic, rollbacks and deaths with them.

The outgoing machines are killed with SIGKILL 2 s after their drain completed. Whatever the client
or HAProxy counts as lost is in the evidence, with what it was.
"""

import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cutovers
from cutovers import LONG, Scene
from dayfly.durable import write_atomically
from production.environment import seconds_since

WANTED = {"cutovers": 20, "rollbacks": 3, "deaths": 3}
AT_ONCE = {"cutovers": 10, "rollbacks": 3, "deaths": 3}  # in one environment
WARM_UP = 10.0  # seconds of traffic before the first cutover
LONGEST = 60.0  # seconds that one cutover may take; with less left none is begun

Session = dict[str, Any]


@dataclass(frozen=True)
class Progress:
    """What is done, on disk after each session."""

    path: Path

    def sessions(self, runtime: str) -> list[Session]:
        kept = json.loads(self.path.read_text()) if self.path.exists() else []
        return [session for session in kept if session["runtime"] == runtime]

    def add(self, session: Session) -> None:
        kept = json.loads(self.path.read_text()) if self.path.exists() else []
        write_atomically(self.path, json.dumps([*kept, session]))

    def missing(self, runtime: str) -> dict[str, int]:
        done = self.sessions(runtime)
        return {
            what: count - sum(len(session[what]) for session in done)
            for what, count in WANTED.items()
        }


def run(folder: Path, seed: int, budget: float) -> dict[str, Any]:
    """All that the budget (seconds) has room for; the rest when it is called again."""
    ends = time.monotonic() + budget
    progress = Progress(folder / "progress.json")
    runtimes = ["process", *(["docker"] if cutovers.has_docker() else [])]
    for runtime in runtimes:
        while any(progress.missing(runtime).values()) and ends - time.monotonic() > LONGEST:
            number = len(progress.sessions(runtime))
            place = folder / f"{runtime}-{number}-{time.time():.0f}"
            place.mkdir()
            progress.add(_session(place, runtime, seed + number, progress.missing(runtime), ends))
    figures = {runtime: _figures(progress.sessions(runtime)) for runtime in runtimes}
    sessions = [session for runtime in runtimes for session in progress.sessions(runtime)]
    return {
        "held": all(each["held"] for each in figures.values()),
        "figures": figures,
        "sessions": sessions,
    }


def _session(
    folder: Path, runtime: str, seed: int, missing: dict[str, int], ends: float
) -> Session:
    """Some cutovers and rollbacks under one load, then deaths under another one."""
    wanted = {what: min(count, AT_ONCE[what]) for what, count in missing.items()}
    began = time.monotonic()
    with cutovers.stage(folder, runtime, LONG) as scene:
        with cutovers.under_load(scene, seed) as load:
            time.sleep(WARM_UP)
            moves = [
                asdict(cutovers.release(scene, load)) for _ in _times(wanted["cutovers"], ends)
            ]
            backs = []
            for _ in _times(wanted["rollbacks"], ends):
                cutovers.release_and_keep_warm(scene, load)
                backs.append(asdict(cutovers.roll_back(scene, load)))
            tally = load.stop()
        proxy = cutovers.counted_of(scene.prod, tally)
        deaths = _deaths(scene, seed, wanted["deaths"], ends)
    return {
        "runtime": runtime,
        "seed": seed,
        "seconds": seconds_since(began),
        "cutovers": moves,
        "rollbacks": backs,
        "deaths": deaths,
        "client": {
            "requests": tally.sent,
            "ok": tally.ok,
            "failed": tally.failed,
            "late_ms": round(tally.late_ms),
            "kinds": [asdict(kind) for kind in tally.kinds],
            "failures": [asdict(failure) for failure in tally.failures],
        },
        "haproxy": asdict(proxy),
    }


def _deaths(scene: Scene, seed: int, count: int, ends: float) -> list[dict[str, Any]]:
    with cutovers.under_load(scene, seed) as load:
        time.sleep(WARM_UP)
        return [asdict(cutovers.kill_one(scene, load)) for _ in _times(count, ends)]


def _times(count: int, ends: float) -> Iterator[int]:
    """So often, while there is time."""
    for number in range(count):
        if ends - time.monotonic() < LONGEST:
            return
        yield number


def _figures(sessions: Sequence[Session]) -> dict[str, Any]:
    """Over all sessions of a runtime."""
    moves = [move for session in sessions for move in session["cutovers"] + session["rollbacks"]]
    deaths = [death for session in sessions for death in session["deaths"]]
    counts = {
        "cutovers": sum(len(session["cutovers"]) for session in sessions),
        "rollbacks": sum(len(session["rollbacks"]) for session in sessions),
        "deaths": len(deaths),
        "requests": sum(session["client"]["requests"] for session in sessions),
        "requests_in_the_log": sum(session["haproxy"]["requests"] for session in sessions),
        "lines_dropped_by_haproxy": sum(session["haproxy"]["unlogged"] for session in sessions),
        "failed": sum(session["client"]["failed"] for session in sessions),
        "lost": sum(session["haproxy"]["lost"] for session in sessions),
        "retried_by_haproxy": sum(session["haproxy"]["retried"] for session in sessions),
        "reconnects": sum(move["reconnects"] for move in moves),
        "streams_ended_after_their_budget": sum(move["ended"] for move in moves),
        "assets_not_found": sum(
            count for move in moves for status, count in move["assets"].items() if status != "200"
        ),
        "assets_broken_by_a_kill": sum(
            count
            for move in moves
            for status, count in move["assets_after"].items()
            if status not in {"200", "404"}
        ),
        "lost_beside_a_death": sum(len(death["strays"]) for death in deaths),
    }
    nothing = ("failed", "lost", "assets_not_found", "assets_broken_by_a_kill")
    held = not any(counts[each] for each in (*nothing, "lost_beside_a_death"))
    unseen = counts["requests"] - counts["requests_in_the_log"]
    same = 0 <= unseen <= counts["lines_dropped_by_haproxy"]
    return {"held": bool(moves) and held and same, **counts, **_times_of(moves)}


def _times_of(moves: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if not moves:
        return {}
    cutover = [move["cutover_seconds"] for move in moves]
    return {
        "cutover_seconds": {"median": statistics.median(cutover), "max": max(cutover)},
        "p99_ms": {
            "seconds_before": statistics.median(move["p99_before_ms"] for move in moves),
            "second_of_cutover": statistics.median(move["p99_ms"] for move in moves),
            "worst_second_of_cutover": max(move["p99_ms"] for move in moves),
        },
    }
