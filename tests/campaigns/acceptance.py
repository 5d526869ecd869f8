"""A published application, upgraded under load and rolled back, with its figures."""

import tempfile
from pathlib import Path
from typing import Any

from conference.story import run as story

_FOUND_AGAIN = ("feedback_missing", "feedback_twice", "options_missing", "options_twice")


def run(_folder: Path, seed: int, _budget: float) -> dict[str, Any]:
    """One story, which can't be split: it begins anew each time, where any user may look."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="dayfly-acceptance-") as place:
        Path(place).chmod(0o755)
        figures = story(Path(place), seed)
    lost = sum(receipt["traffic"]["lost"] for receipt in figures["receipts"])
    bad = [*figures["failures"], *figures["rows_lost"], *figures["moments"][-1]["of_dayfly"]]
    bad += [each for name in _FOUND_AGAIN for each in figures[name]]
    bridged = figures["receipts"][1]["verdict"] == "online" and all(
        moment["default"] for moment in figures["moments"] if moment["fleets"] == [1, 2]
    )
    held = bridged and not bad and lost == 0 and figures["left_running"] == 0
    return {"held": held, "figures": figures}
