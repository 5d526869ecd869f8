import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.clock import Stop
from dayfly.config.app import Health
from dayfly.config.units import Duration
from dayfly.errors import StoppedError
from dayfly.events import silent
from dayfly.machines.health import UnhealthyError, wait_until_healthy
from dayfly.machines.machine import Machine, Spec
from dayfly.machines.probe import ProbeResult, is_healthy
from dayfly.machines.process import ProcessRuntime

MakeSpec = Callable[..., Spec]
SERVER = "exec /usr/bin/python3 -u -m http.server --bind 127.0.0.1 $PORT"
QUICK = Health(path="/hello.sh", interval=Duration(0.05), deadline=Duration(10))
SHORT = Health(
    path="/hello.sh", interval=Duration(0.05), timeout=Duration(0.2), deadline=Duration(1.5)
)
GOOD, BAD = ProbeResult(status=200), ProbeResult(failure="connection refused")

ANSWERS = """exec /usr/bin/python3 -u -c '
import http.server, os
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({status}); self.send_header("Content-Length", "0"); self.end_headers()
print("up")
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
'"""
SILENT = """exec /usr/bin/python3 -u -c '
import os, socket, time
s = socket.create_server(("127.0.0.1", int(os.environ["PORT"]))); print("up"); time.sleep(60)
'"""
ELSEWHERE = "exec /usr/bin/python3 -u -m http.server --bind 127.0.0.1 0"


@pytest.fixture
def runtime(process_runtime: ProcessRuntime) -> ProcessRuntime:
    return process_runtime


def launched(
    runtime: ProcessRuntime, spec: MakeSpec, *runs: str, port: bool = True
) -> list[Machine]:
    return [
        runtime.launch(spec(run, name=f"shop-1-web-{number}", port=port))
        for number, run in enumerate(runs)
    ]


@pytest.mark.parametrize(
    ("results", "passes", "healthy"),
    [
        ([], 1, False),
        ([GOOD], 1, True),
        ([GOOD], 2, False),
        ([GOOD, BAD, GOOD], 2, False),
        ([BAD, GOOD, GOOD], 2, True),
        ([GOOD, GOOD, BAD], 1, False),
        ([ProbeResult(status=302)], 1, True),
        ([ProbeResult(status=404)], 1, False),
        ([ProbeResult(status=500)], 1, False),
    ],
)
def test_the_policy(results: list[ProbeResult], passes: int, healthy: bool) -> None:
    assert is_healthy(results, passes) is healthy


@given(st.lists(st.sampled_from([GOOD, BAD])), st.integers(1, 5))
def test_a_failure_starts_the_count_again(results: list[ProbeResult], passes: int) -> None:
    assert not is_healthy([*results, BAD, *[GOOD] * (passes - 1)], passes)
    assert is_healthy([*results, *[GOOD] * passes], passes)


def test_all_machines_become_healthy(runtime: ProcessRuntime, spec: MakeSpec) -> None:
    told: list[tuple[str, dict[str, object]]] = []
    machines = launched(runtime, spec, *[SERVER] * 3)

    wait_until_healthy(
        machines, QUICK, Stop(), runtime, lambda kind, **data: told.append((kind, data))
    )

    assert {kind for kind, _ in told} == {"machine.healthy"}
    assert {data["machine"] for _, data in told} == {machine.name for machine in machines}


def test_a_worker_is_healthy_when_it_still_runs(runtime: ProcessRuntime, spec: MakeSpec) -> None:
    machines = launched(runtime, spec, "exec sleep 60", port=False)
    started = time.monotonic()

    wait_until_healthy(machines, QUICK, Stop(), runtime, silent)

    assert time.monotonic() - started > 0.9


@pytest.mark.parametrize(
    ("run", "message", "hint"),
    [
        (ANSWERS.format(status=503), r"GET http://127\S+/hello.sh: answered 503", "GET /hello.sh"),
        (ANSWERS.format(status=400), "ALLOWED_HOSTS", "GET /hello.sh"),
        (SILENT, r"no answer within 0.2 s", "up"),
        (
            ELSEWHERE,
            r"refused. It listens on \d+ instead: it must listen on 0.0.0.0:\$PORT",
            "Serving",
        ),
        ("exec sleep 60", "refused. It listens on no port yet", "It wrote no output"),
    ],
)
def test_what_was_probed_and_what_came_back_is_told(
    runtime: ProcessRuntime, spec: MakeSpec, run: str, message: str, hint: str
) -> None:
    machines = launched(runtime, spec, SERVER, run)

    with pytest.raises(UnhealthyError, match=message) as caught:
        wait_until_healthy(machines, SHORT, Stop(), runtime, silent)

    assert "shop-1-web-1 was not healthy within 1.5 s" in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("port", [True, False])
def test_a_machine_that_ends_fails_at_once(
    runtime: ProcessRuntime, spec: MakeSpec, port: bool
) -> None:
    machines = launched(runtime, spec, SERVER, "sleep 0.3; echo no database; exit 5", port=port)
    started = time.monotonic()

    with pytest.raises(UnhealthyError, match=r"web-1 ended before.*: exit status 5") as caught:
        wait_until_healthy(machines, QUICK, Stop(), runtime, silent)

    assert caught.value.hint == "no database"
    assert time.monotonic() - started < QUICK.deadline


@pytest.mark.parametrize(
    ("run", "message", "hint"),
    [
        (f"sleep 0.5; {SERVER}", "ended before it was healthy", "Address already in use"),
        ("echo trying; exec sleep 60", "somebody else listens there", "trying"),
    ],
)
def test_a_port_that_was_stolen(
    runtime: ProcessRuntime, spec: MakeSpec, run: str, message: str, hint: str
) -> None:
    """What answers there is not the machine, and does not make it healthy."""
    machine = launched(runtime, spec, run)[0]
    assert machine.address is not None
    port = machine.address.split(":")[1]
    runtime.launch(spec(SERVER.replace("$PORT", port), name="thief"))
    patient = Health(path="/hello.sh", passes=30, interval=Duration(0.05))

    with pytest.raises(UnhealthyError, match=message) as caught:
        wait_until_healthy([machine], patient, Stop(), runtime, silent)

    assert hint in caught.value.hint


def test_a_stop_ends_the_waiting(runtime: ProcessRuntime, spec: MakeSpec) -> None:
    machines = launched(runtime, spec, "exec sleep 60")
    stop = Stop()
    stop.request("enough")
    started = time.monotonic()

    with pytest.raises(StoppedError):
        wait_until_healthy(machines, QUICK, stop, runtime, silent)

    assert time.monotonic() - started < QUICK.deadline
