"""Jobs and workers belong to a release too, and no cutover cuts them."""

import time

import pytest

from dayfly.clock import wait_until
from production import Production, Project, assert_serving, batches

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy]

LINES = 24  # 12 s
MINUTE = 60


def test_jobs_and_workers_across_a_cutover_and_a_rollback(prod: Production, kinds: Project) -> None:
    """The batch ends once and whole, each minute has one tick, workers follow the traffic."""
    commit = batches.commit(kinds, LINES)
    first = prod.released(kinds, commit)
    began = int(time.time())
    wait_until(lambda: batches.workers(prod, kinds) == {first}, seconds=20, what="its worker")
    batches.start_batch(prod, kinds)

    second = prod.released(kinds, commit)
    wait_until(lambda: batches.workers(prod, kinds) == {second}, seconds=20, what="its worker")
    prod.typed("rollback", at=kinds.folder)
    wait_until(lambda: batches.workers(prod, kinds) == {first}, seconds=20, what="its worker")

    wait_until(lambda: batches.batches(prod, kinds), seconds=30, what="the batch")
    wait_until(lambda: batches.runs(prod, kinds, "batch"), seconds=10, what="its end is known")
    [(machine, status)] = batches.runs(prod, kinds, "batch")
    assert status == 0
    assert batches.batches(prod, kinds) == {
        f"batch-{machine}": [str(line) for line in range(1, LINES + 1)]
    }
    done = (batches.exports(prod, kinds) / "workers-done").read_text().split()
    assert {name.split("-")[1] for name in done} >= {str(first), str(second)}

    minute = began // MINUTE * MINUTE + MINUTE
    wait_until(lambda: time.time() > minute + 8, seconds=MINUTE + 8, what="a whole minute")
    ended = int(time.time())
    ticks = (batches.exports(prod, kinds) / "ticks").read_text().splitlines()
    minutes = [int(line.split()[1]) // MINUTE for line in ticks]
    assert sorted(minutes) == sorted(set(minutes)), ticks
    assert set(range(minute // MINUTE, ended // MINUTE + 1)) <= set(minutes), ticks
    assert_serving(prod, kinds.app, first)


def test_one_command_in_a_fresh_machine(prod: Production, kinds: Project) -> None:
    serving = prod.serving(kinds.app)
    ran = prod.type("run", "--", "sh", "-c", "echo in $DAYFLY_RELEASE; exit 3", at=kinds.folder)
    assert ran.status == 3
    assert f"in {serving}" in ran.said
    assert "status 3" in ran.said
    assert not [m for m in prod.machines(kinds.app) if m["process"] == "run"]


def test_a_job_that_nobody_knows(prod: Production, kinds: Project) -> None:
    ran = prod.type("jobs", "run", "spring-clean", at=kinds.folder)
    assert ran.status == 1
    assert "spring-clean" in ran.said
