"""A writer is killed at seeded steps; `scripts/campaign files` does it a thousand times."""

import random
import threading
from pathlib import Path

import pytest

from archived import archive, content, every, put, rows
from archived.crashes import killed, survived
from archived.writer import KEPT, KEYS

MOST_STEPS = 700


@pytest.mark.parametrize("seed", range(25))
def test_what_was_acknowledged_survives_and_nothing_is_half_there(
    tmp_path: Path, seed: int
) -> None:
    step = random.Random(seed).randint(1, MOST_STEPS)

    assert survived(tmp_path, seed, step).problems == []


def test_a_process_goes_on_while_others_are_killed_beside_it(tmp_path: Path) -> None:
    """Of all versions that anybody was told of, only those are gone that somebody deleted."""
    stored: dict[str, str] = {}
    deleted: set[str] = set()
    done = threading.Event()
    chance = random.Random(1)

    def put_steadily() -> None:
        while not done.is_set():
            text = f"steady {len(stored)}"
            version = put(repository, random.choice(KEYS), text.encode(), bucket=KEPT)
            stored[version.id] = text

    killed(tmp_path, 0, 10**6)
    with archive(tmp_path) as repository:
        steady = threading.Thread(target=put_steadily)
        steady.start()
        for seed in range(8):
            told = killed(tmp_path, seed, chance.randint(100, MOST_STEPS))
            for change in (*told.done, *([told.under_way] if told.under_way else [])):
                if change.kind == "delete version":
                    deleted.add(change.id)
                elif change.bucket == KEPT and change.kind in {"put", "upload"} and change.id:
                    stored[change.id] = change.content
        done.set()
        steady.join()
        missing = set(stored) - {entry.id for entry in every(repository, KEPT)} - deleted
        assert missing == set()
        for entry in every(repository, KEPT):
            if entry.id in stored:
                assert content(repository, entry.key, entry.id, KEPT).decode() == stored[entry.id]
        assert list(repository.care.scrub(KEPT)) == []
    with archive(tmp_path) as repository:
        before = rows(repository)
        repository.care.rebuild()
        assert rows(repository) == before


def test_a_copy_that_did_not_get_to_the_disk_is_no_change(tmp_path: Path) -> None:
    """As after a loss of power, of a process that had just begun."""
    killed(tmp_path, 0, 10**6)
    left = tmp_path / "tree" / ".dayfly" / "staging" / "gone"
    left.mkdir()
    (left / "0123.put").write_bytes(b'{"bucket": "pl')
    (left / "4567.put").touch()
    (left / "staged").write_bytes(b"half an object")
    with archive(tmp_path) as repository:
        assert not left.exists()
        assert list(repository.care.scrub(KEPT)) == []
