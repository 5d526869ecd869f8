"""The seven stories, each several times with other seeds: what clients saw, added up."""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from dayfly.durable import write_atomically
from stories import STORIES, Story

ROUNDS = 2
LONGEST = 120.0  # seconds that one may take; with less left none is begun
_SUMS = ("written", "read", "closed")


def run(folder: Path, seed: int, budget: float) -> dict[str, Any]:
    """All that the budget (seconds) has room for; the rest when it is called again."""
    ends, path = time.monotonic() + budget, folder / "progress.json"
    done: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    for number in range(len(done), ROUNDS * len(STORIES)):
        if ends - time.monotonic() < LONGEST:
            break
        story = STORIES[number % len(STORIES)]
        done.append(_told(story, seed + number // len(STORIES)))
        write_atomically(path, json.dumps(done))
    complete = len(done) == ROUNDS * len(STORIES)
    held = complete and not any(each["broken"] for each in done)
    return {"held": held, "rounds": ROUNDS, "stories": [_sum(story, done) for story in STORIES]}


def _told(story: Story, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="dayfly-story-") as place:
        Path(place).chmod(0o755)
        try:
            return {"story": story.name, "seed": seed, "broken": "", **story.run(Path(place), seed)}
        except AssertionError as error:
            return {"story": story.name, "seed": seed, "broken": str(error)[:2000]}


def _sum(story: Story, done: list[dict[str, Any]]) -> dict[str, Any]:
    mine = [each for each in done if each["story"] == story.name]
    good = [each for each in mine if not each["broken"]]
    return {
        "story": story.name,
        "runs": len(mine),
        "broken": [each["broken"] for each in mine if each["broken"]],
        "verdict": story.verdict,
        "failed": sum(len(each["failed"]) for each in good),
        **{what: sum(each[what] for each in good) for what in _SUMS},
        "slowest_seconds": max((each["slowest_seconds"] for each in good), default=None),
        "rollback": sorted({each["rollback"] for each in good}),
    }
