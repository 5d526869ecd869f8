"""What is looked after again and again goes on, whatever goes wrong."""

import logging
from collections.abc import Callable

import pytest

from dayfly.clock import wait_until
from dayfly.errors import DayflyError, StoppedError
from dayfly.rounds import Rounds, Told


def failing(error: Exception) -> Callable[[], None]:
    def one() -> None:
        raise error

    return one


@pytest.mark.parametrize("error", [DayflyError("no disk"), KeyError("orders"), OSError("gone")])
def test_rounds_go_on_after_any_error(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    calls: list[int] = []

    def one() -> None:
        calls.append(1)
        raise error

    rounds = Rounds("caretaker", 0.01, one)
    rounds.start()
    wait_until(lambda: len(calls) > 3, seconds=5, what="more rounds")
    rounds.close()

    assert len(caplog.records) == 1, "a problem that lasts is logged once"


def test_one_problem_does_not_hide_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    told = Told("caretaker")
    done: list[str] = []

    told.guard("orders", failing(KeyError("web")))
    told.guard("shop", lambda: done.append("shop"))

    assert done == ["shop"]
    assert told.problems == {"orders": "a defect in Dayfly: KeyError: 'web'"}
    [logged] = caplog.records
    assert logged.levelno == logging.WARNING
    assert logged.exc_info, "a defect is logged with its traceback"


def test_a_problem_is_over_when_a_round_works() -> None:
    told = Told("caretaker")
    told.guard("orders", failing(DayflyError("no disk", hint="Make room.")))
    assert told.problems == {"orders": "no disk Make room."}

    told.guard("orders", lambda: None)

    assert told.problems == {}


def test_a_stop_ends_the_round() -> None:
    with pytest.raises(StoppedError):
        Told("caretaker").guard("orders", failing(StoppedError("the server ends")))


def test_a_round_that_is_wanted_soon_does_not_wait() -> None:
    calls: list[int] = []
    rounds = Rounds("caretaker", 3600, lambda: calls.append(0))
    rounds.start()
    wait_until(lambda: len(calls) == 1, seconds=5, what="the first round")

    rounds.soon()

    wait_until(lambda: len(calls) == 2, seconds=5, what="the next round")
    rounds.close()
