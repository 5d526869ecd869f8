"""A sample of the cutover campaign: all kinds of traffic at once, and nothing is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import cutovers
from cutovers import SHORT, Move, Scene
from workshop import need_docker, open_folder

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy]

SEED = 20


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


def assert_whole(move: Move) -> None:
    """Nobody lost anything, with the outgoing machines killed 2 s after their drain."""
    assert (move.failed, move.lost) == (0, 0), move
    assert move.killed == 2, move
    assert set(move.assets) == {"200"}, "the outgoing release's hashed file, while it is warm"
    assert set(move.assets_after) <= {"200", "404"}, "and no error when its machines are gone"


def cut_over(scene: Scene, times: int) -> None:
    """So many releases under load, then a rollback; client and HAProxy count the same."""
    with cutovers.under_load(scene, SEED) as load:
        for _ in range(times):
            assert_whole(cutovers.release(scene, load))
        cutovers.release_and_keep_warm(scene, load)
        assert_whole(cutovers.roll_back(scene, load))
        tally = load.stop()
    counted = cutovers.counted_of(scene.prod, tally)
    assert tally.failed == 0, tally.told()
    assert all(kind.ok for kind in tally.kinds), tally.told()
    assert counted.lost == 0, counted
    assert counted.is_all_of(tally.sent), (tally.sent, counted)


def test_cutovers_of_processes_lose_nothing(folder: Path) -> None:
    with cutovers.stage(folder, "process", SHORT) as scene:
        cut_over(scene, 3)

        with cutovers.under_load(scene, SEED) as load:
            death = cutovers.kill_one(scene, load)
        assert not death.strays, "a machine's death costs its own open requests only"


@pytest.mark.docker
def test_cutovers_of_containers_lose_nothing(folder: Path) -> None:
    need_docker()
    with cutovers.stage(folder, "docker", SHORT) as scene:
        cut_over(scene, 1)
