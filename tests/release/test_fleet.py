"""Which fleets can get traffic at all."""

import pytest

from dayfly.config.app import App, Process
from dayfly.release.fleet import require_web
from dayfly.release.work import RefusedError


@pytest.mark.parametrize(
    ("process", "hint"),
    [("wbe", "Did you mean it by [process.wbe]?"), ("worker", "")],
)
def test_without_web_nothing_would_answer(process: str, hint: str) -> None:
    with pytest.raises(RefusedError, match=r"no \[process\.web\]") as caught:
        require_web(App(app="orders", process={process: Process(run="serve")}))
    assert caught.value.hint == hint


def test_other_processes_may_stand_beside_web() -> None:
    require_web(App(app="orders", process={"web": Process(run="a"), "wbe": Process(run="b")}))
