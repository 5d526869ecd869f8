"""Cutovers under all kinds of strict traffic at once, each one measured.

with stage(folder, "process", SHORT) as scene:
    with under_load(scene, seed=7) as load:
        moves = [release(scene, load) for _ in range(3)]
        …
    assert load.stop().failed == 0
"""

from cutovers.counts import Counted, counted_of
from cutovers.deaths import Death, kill_one
from cutovers.moves import Move, release, release_and_keep_warm, roll_back
from cutovers.scene import LONG, SHORT, Pace, Scene, has_docker, stage, under_load

__all__ = [
    "LONG",
    "SHORT",
    "Counted",
    "Death",
    "Move",
    "Pace",
    "Scene",
    "counted_of",
    "has_docker",
    "kill_one",
    "release",
    "release_and_keep_warm",
    "roll_back",
    "stage",
    "under_load",
]
