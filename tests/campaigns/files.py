"""Programs that change an archive killed a thousand times, and a hundred races of 32 writers.

Each round has a folder and a seed of its own: a program is killed at one of its steps, or 32
threads of two processes want to write one key under a condition. The folder of a round that went
wrong stays.
"""

import json
import random
import shutil
import time
from pathlib import Path
from typing import Any

from archived.crashes import survived
from archived.races import trials
from dayfly.durable import write_atomically

KILLS, RACES, STEPS = 1000, 100, 900
LONGEST = 60.0  # seconds that one round may take; with less left none is begun


def run(folder: Path, seed: int, budget: float) -> dict[str, Any]:
    """As many rounds as the budget has room for; the rest when it is called again."""
    ends = time.monotonic() + budget
    progress = folder / "progress.json"
    rounds = list(json.loads(progress.read_text())) if progress.exists() else []
    while _missing(rounds) and ends - time.monotonic() > LONGEST:
        number = seed * 100_000 + len(rounds)
        rounds.append(_round(folder / f"round-{number}", number, _missing(rounds)))
        write_atomically(progress, json.dumps(rounds))
    return _evidence(rounds)


def _missing(rounds: list[dict[str, Any]]) -> str:
    if _sum(rounds, "kills") < KILLS:
        return "kill"
    return "race" if _sum(rounds, "races") < RACES else ""


def _sum(rounds: list[dict[str, Any]], name: str) -> int:
    return sum(each.get(name, 0) for each in rounds)


def _round(place: Path, seed: int, kind: str) -> dict[str, Any]:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    if kind == "kill":
        step = random.Random(seed).randint(1, STEPS)
        found = survived(place, seed, step)
        problems, told = found.problems, {"kills": int(not found.finished), "step": step}
    else:
        raced = trials(place, 10)
        problems = [f"{each} winners" for each in raced if each != 1]
        told = {"races": len(raced)}
    if not problems:
        shutil.rmtree(place)
    return {"seed": seed, **told, "problems": problems}


def _evidence(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    wrong = [each for each in rounds if each["problems"]]
    figures = {name: _sum(rounds, name) for name in ("kills", "races")}
    return {
        "held": not wrong and not _missing(rounds),
        "figures": {"rounds": len(rounds), "wrong": len(wrong), **figures},
        "wrong": wrong,
    }
