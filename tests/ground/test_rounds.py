"""A thread that looks after something goes on, whatever a round ends with."""

import logging

import pytest

from dayfly.clock import wait_until
from dayfly.errors import DayflyError
from dayfly.rounds import Rounds


@pytest.mark.parametrize("error", [DayflyError("away"), KeyError("a defect"), OSError(28, "full")])
def test_a_round_that_fails_is_not_the_last(error: Exception) -> None:
    rounds: list[int] = []

    def one() -> None:
        rounds.append(1)
        raise error

    looked_after = Rounds("test", 0.001, one)
    looked_after.start()
    try:
        wait_until(lambda: len(rounds) > 3, seconds=10, what="more rounds")
    finally:
        looked_after.close()


def test_a_lasting_problem_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    rounds: list[int] = []

    def one() -> None:
        rounds.append(1)
        raise DayflyError("HAProxy is away", hint="start it")

    looked_after = Rounds("caretaker", 0.001, one)
    with caplog.at_level(logging.WARNING):
        looked_after.start()
        wait_until(lambda: len(rounds) > 3, seconds=10, what="more rounds")
        looked_after.close()

    assert [record.getMessage() for record in caplog.records] == [
        "caretaker: HAProxy is away start it"
    ]
