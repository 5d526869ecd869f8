"""Forwarder, store and machine are killed at random moments, files rotate meanwhile.

Every line whose write returned is there once, after 27 kills in all; `scripts/campaign logs` does
the same a thousand times.
"""

import signal
from collections import Counter
from pathlib import Path

import pytest

from forwarding import scene
from forwarding.crashes import against_the_log_server, doubled, killed_while_written, written


@pytest.mark.parametrize("seed", [1, 2])
def test_every_line_is_there_exactly_once(tmp_path: Path, seed: int) -> None:
    with scene(tmp_path, parse=False) as made:
        killed = killed_while_written(made, "store", seed, kills=9)

        assert killed.total() == 9
        assert doubled(made, made.lines()) == Counter()
        assert written(made) - made.lines() == Counter()
        assert not (tmp_path / "differs").exists()
        assert made.kill("forwarder", signal.SIGTERM) == 0


def test_every_line_is_in_the_log_server_exactly_once(tmp_path: Path) -> None:
    found = against_the_log_server(tmp_path, 4, kills=9)

    assert (found.lost, found.doubled, found.kills.total()) == (0, 0, 9)
    assert found.kills["machine"]
    assert found.lines > 100
