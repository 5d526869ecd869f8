"""Forwarder, log server, both and a machine killed a thousand times while lines are written.

Each round has a folder and a seed of its own: files that grow and rotate, and ten kills. Then every
line whose write returned is looked for, and none may be there twice.
"""

import json
import shutil
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from dayfly.durable import write_atomically
from forwarding.crashes import against_the_log_server

KILLS = 1000
KILLS_OF_A_ROUND = 10
LONGEST = 60.0  # seconds that one round may take; with less left none is begun


def run(folder: Path, seed: int, budget: float) -> dict[str, Any]:
    """As many rounds as the budget has room for; the rest when it is called again."""
    ends = time.monotonic() + budget
    progress = folder / "progress.json"
    rounds = list(json.loads(progress.read_text())) if progress.exists() else []
    while _kills(rounds) < KILLS and ends - time.monotonic() > LONGEST:
        rounds.append(_round(folder, seed * 10_000 + len(rounds)))
        write_atomically(progress, json.dumps(rounds))
    return _evidence(rounds)


def _round(folder: Path, seed: int) -> dict[str, Any]:
    place = folder / f"round-{seed}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    began = time.monotonic()
    try:
        found = against_the_log_server(place, seed, KILLS_OF_A_ROUND)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        where = traceback.extract_tb(error.__traceback__)[-1]
        return {"seed": seed, "why": f"{type(error).__name__} in {where.name}: {error}"[:500]}
    if not (found.lost or found.doubled):
        shutil.rmtree(place)  # what went wrong stays, to be looked at
    seconds = round(time.monotonic() - began, 1)
    counts = {"lines": found.lines, "lost": found.lost, "doubled": found.doubled}
    return {"seed": seed, "kills": dict(found.kills), **counts, "seconds": seconds}


def _kills(rounds: list[dict[str, Any]]) -> int:
    return sum(sum(each.get("kills", {}).values()) for each in rounds)


def _evidence(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    kills: Counter[str] = Counter()
    for each in rounds:
        kills.update(each.get("kills", {}))
    figures = {
        name: sum(each.get(name, 0) for each in rounds) for name in ("lines", "lost", "doubled")
    }
    wrong = [each for each in rounds if "why" in each or each["lost"] or each["doubled"]]
    return {
        "held": not wrong and kills.total() >= KILLS,
        "figures": {"rounds": len(rounds), "kills": kills.total(), "of": dict(kills), **figures},
        "wrong": wrong,
        "each": rounds,
    }
