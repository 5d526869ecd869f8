"""A writer is killed at seeded steps; `scripts/campaign files` does it a thousand times."""

import random
from pathlib import Path

import pytest

from archived.crashes import survived

MOST_STEPS = 700


@pytest.mark.parametrize("seed", range(25))
def test_what_was_acknowledged_survives_and_nothing_is_half_there(
    tmp_path: Path, seed: int
) -> None:
    step = random.Random(seed).randint(1, MOST_STEPS)

    assert survived(tmp_path, seed, step).problems == []
