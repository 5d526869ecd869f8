"""What a run of Ansible forks: each worker has a session of its own, so no signal to its group."""

from pathlib import Path

from dayfly.marked import end_told


def end_workers(place: Path) -> None:
    """Kill what still runs of the one run whose inventory lies in `place`."""
    end_told(f"{place}/")
