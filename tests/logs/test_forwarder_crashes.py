"""Forwarder and store are killed at random moments, files rotate meanwhile: every line is once.

`scripts/campaign logs` does the same a thousand times.
"""

import signal
from collections import Counter
from pathlib import Path

import pytest

from forwarding import scene
from forwarding.crashes import against_the_log_server, killed_while_written, written


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_line_is_there_exactly_once(tmp_path: Path, seed: int) -> None:
    with scene(tmp_path, parse=False) as made:
        killed_while_written(made, "store", seed)

        assert made.lines() - written(made) == Counter()
        assert written(made) - made.lines() == Counter()
        assert not (tmp_path / "differs").exists()
        assert made.kill("forwarder", signal.SIGTERM) == 0


def test_every_line_is_in_the_log_server_exactly_once(tmp_path: Path) -> None:
    found = against_the_log_server(tmp_path, 4)

    assert (found.lost, found.doubled) == (0, 0)
    assert found.lines > 100
