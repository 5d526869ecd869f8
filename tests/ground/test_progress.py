from typing import Any

from dayfly import progress
from dayfly.events import Event


def events(*told: tuple[str, dict[str, Any]]) -> list[Event]:
    return [
        Event(number=number, time=100.0 + number, release=2, app="orders", kind=kind, data=data)
        for number, (kind, data) in enumerate(told, 1)
    ]


def test_a_release_under_way() -> None:
    now = progress.of(events(
        ("release.started", {"commit": "abc", "subject": "Add", "who": "ada"}),
        ("stage.started", {"stage": "build"}),
        ("stage.finished", {"stage": "build", "outcome": "done", "seconds": 2}),
        ("stage.started", {"stage": "launch"}),
        ("machine.launched", {"machine": "m1", "process": "web", "address": "a:1"}),
        ("machine.healthy", {"machine": "m1", "seconds": 1.5}),
        ("something.new", {"nobody": "knows"}),
    ))  # fmt: skip

    assert (now.release, now.app, now.subject, now.outcome) == (2, "orders", "Add", None)
    assert [(stage.stage, stage.outcome) for stage in now.stages] == [
        ("build", "done"), ("launch", None)
    ]  # fmt: skip
    assert now.running == now.stages[1]
    assert [(seen.state, seen.address, seen.seconds) for seen in now.machines] == [
        ("healthy", "a:1", 1.5)
    ]
    assert now.last == 7


def test_a_stage_that_comes_again_does_not_change_the_first() -> None:
    told = [
        ("stage.started", {"stage": "verify"}),
        ("stage.finished", {"stage": "verify", "outcome": "failed", "seconds": 1}),
    ]
    now = progress.of(events(*told, told[0]))

    assert [stage.outcome for stage in now.stages] == ["failed", None]


def test_output_keeps_the_last_lines_only() -> None:
    lines = [("output", {"source": "build", "line": str(number)}) for number in range(1000)]
    now = progress.of(events(*lines))

    assert len(now.output) == progress.OUTPUT_LINES
    assert now.output[-1] == ("build", "999")


def test_the_cutover_splits_the_traffic() -> None:
    fleets = [{"release": 1, "rate": 10.0, "errors": 2}, {"release": 2, "rate": 30}]
    now = progress.of(
        events(("stage.started", {"stage": "cut over"}), ("traffic", {"fleets": fleets}))
    )

    assert now.cutover == 101.0
    assert now.traffic[0].rates == {1: 10.0, 2: 30.0}
    assert now.traffic[0].errors == {1: 2, 2: 0}
