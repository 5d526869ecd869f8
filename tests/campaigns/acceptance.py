"""A published application, upgraded under load and rolled back, with its figures."""

import tempfile
from pathlib import Path
from typing import Any

from conference.story import run as story


def run(_folder: Path, seed: int, _budget: float) -> dict[str, Any]:
    """One story, which can't be split: it begins anew each time, where any user may look."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="dayfly-acceptance-") as place:
        Path(place).chmod(0o755)
        figures = story(Path(place), seed)
    lost = sum(receipt["traffic"]["lost"] for receipt in figures["receipts"])
    bad = [*figures["failures"], *figures["feedback_missing"], *figures["rows_lost"]]
    held = not bad and lost == 0 and figures["left_running"] == 0
    return {"held": held, "figures": figures}
