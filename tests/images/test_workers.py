"""What a run of Ansible has forked ends with it."""

import subprocess
from pathlib import Path

from dayfly.ansible.workers import end_workers

WAITS = ["python3", "-c", "import time; time.sleep(60)"]


def test_workers_of_a_run_end_in_whatever_session_they_are(tmp_path: Path) -> None:
    mine, others = tmp_path / "run-1", tmp_path / "run-11"
    started = [
        subprocess.Popen([*WAITS, f"{place}/inventory.json"], start_new_session=True)
        for place in (mine, others)
    ]
    try:
        end_workers(mine)
        assert started[0].wait(10) == -9
        assert started[1].poll() is None
    finally:
        for process in started:
            process.kill()
            process.wait()
