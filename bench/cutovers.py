"""Warm rollbacks back and forth under a steady load."""

import time

import apps
from bench.load import Load, steady
from bench.row import Row, at_most, median, percentile, times
from bench.world import Told, World

PART = "warm rollbacks under load"
RATE = 200.0
QUIET = 3.0  # seconds of load before each cutover
AROUND = (0.2, 0.8)  # seconds before and after the map entry changed that count as the cutover


def measure(world: World, rounds: int) -> list[Row]:
    checkout = apps.repository(world.folder / "kinds")
    numbers = []
    for _ in range(2):
        apps.commit(checkout)
        told = world.release(checkout)
        numbers.append(told.events[0].release or 0)
    backs: list[Told] = []
    with steady(world.http, "/version", RATE) as load:
        for number in range(rounds):
            time.sleep(QUIET)
            backs.append(world.roll_back(checkout, numbers[number % 2]))
        time.sleep(1)
    return rows(backs, load)


def rows(backs: list[Told], load: Load) -> list[Row]:
    before: list[float] = []
    during: list[float] = []
    for told in backs:
        before += load.between(told.began - QUIET + 1, told.began)
        during += load.between(told.serving - AROUND[0], told.serving + AROUND[1])
    note = f"{len(during)} requests during, {len(before)} before, {load.failed} failed in all"
    return [
        at_most(PART, "cutover", median([t.data("cutover")["seconds"] for t in backs]), "s", 1),
        at_most(PART, "typed → traffic back", median([t.serving - t.began for t in backs]), "s", 1),
        times(
            PART,
            "p99 during a cutover",
            [percentile(during, 0.99)],
            [percentile(before, 0.99)],
            "ms",
            2,
            note=note,
        ),
        Row(
            part=PART,
            what="requests that failed",
            ours=load.failed,
            unit="",
            bar="0",
            good=not load.failed,
            note=f"of {len(load.samples)}",
        ),
    ]
