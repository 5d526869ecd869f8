"""What apps wrote is found, also when their machines are gone and whatever is killed."""

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dayfly.clock import wait_until
from dayfly.command import Setting, output_of
from production import Production, Project, project, running
from small_image import python_image
from workshop import need_docker, open_folder

pytestmark = [pytest.mark.acceptance, pytest.mark.haproxy]

SECONDS = 60.0  # on a machine that is busy
# Numbered lines to its output and into a file, which it rotates; then the app itself.
WRITES = """\
mkdir -p log; (i=0; while [ $i -lt {lines} ]; do i=$((i+1)); echo "line $i of $DAYFLY_MACHINE";
 echo "file $i of $DAYFLY_MACHINE" >> log/own.log;
 [ $((i % 400)) = 200 ] && mv log/own.log log/own.log.$((i / 400)); sleep {pause}; done) &
 exec python3 app.py"""
FILES = '[logs]\nfiles = ["log/*"]\n'


@pytest.fixture(scope="module")
def prod() -> Iterator[Production]:
    with open_folder() as folder, running(folder) as made:
        yield made


@pytest.fixture(scope="module")
def writer(prod: Production) -> Project:
    return project(prod.folder / "writer")


def commit(app: Project, *, lines: int, pause: float = 0, machines: int = 1) -> str:
    run = WRITES.format(lines=lines, pause=pause).replace("\n", " ")
    changes = {
        '"exec python3 app.py"': f"'''{run}'''",
        "machines = 2": f"machines = {machines}",
        'warm         = "5m"': 'warm         = "1s"',
    }
    return app.commit(changes=changes, more=FILES)


def records(prod: Production, *words: str) -> list[dict[str, Any]]:
    said = prod.typed("logs", *words, "-n", "100000", "--json")
    return [json.loads(line) for line in said.splitlines()]


def messages(prod: Production, release: int, word: str) -> Counter[str]:
    found = records(prod, word, "--app", "writer", "--release", str(release))
    return Counter(each["message"] for each in found)


def wanted(prod: Production, release: int, lines: int) -> Counter[str]:
    """What every machine of a release wrote, by what the journal knows of them."""
    machines = {
        event.data["machine"] for event in prod.events(release) if event.kind == "machine.launched"
    }
    return Counter(f"line {n} of {m}" for m in machines for n in range(1, lines + 1)) + Counter(
        f"file {n} of {m}" for m in machines for n in range(1, lines + 1)
    )


def wait_for(prod: Production, release: int, expected: Counter[str]) -> None:
    def there() -> bool:
        if prod.type("logs", "-n", "1").status:  # it was killed a moment ago
            return False
        found = messages(prod, release, "line") + messages(prod, release, "file")
        return found.total() >= expected.total()

    wait_until(there, seconds=SECONDS, what=f"the lines of release {release}", poll=0.5)


def test_lines_are_found_with_where_they_came_from_when_their_machine_is_gone(
    prod: Production, writer: Project
) -> None:
    first = prod.released(writer, commit(writer, lines=3))
    machine = f"writer-{first}-web-1"
    second = prod.released(writer, commit(writer, lines=3))
    wait_until(
        lambda: all(m["release"] != first for m in prod.machines("writer")),
        seconds=SECONDS,
        what="the outgoing machine is retired",
    )
    wait_for(prod, first, wanted(prod, first, 3))

    (said,) = records(prod, '"line 2"', "--release", str(first))
    (written,) = records(prod, '"file 2"', "--release", str(first))
    same = {"app": "writer", "release": first, "machine": machine, "process": "web"}
    assert {name: said[name] for name in same} == same
    assert {name: written[name] for name in same} == same
    assert (said["stream"], written["stream"]) == ("stdout", "log/own.log")
    assert said["host"]
    assert said["message"] == f"line 2 of {machine}"
    shown = prod.page(f"/logs?query=release:{first}+line")
    assert f"of {machine}</span>" in shown
    assert f"<strong>{3 * 1}</strong> records" in shown
    assert records(prod, '"line 2"', "--release", str(second), "--app", "other") == []


def test_requests_and_dayfly_itself_are_found_too(prod: Production, writer: Project) -> None:
    serving = prod.serving("writer") or prod.released(writer, commit(writer, lines=1))
    output_of(["curl", "-sS", f"{prod.url}/echo?say=hello"])
    fleet = {m["machine"] for m in prod.machines("writer") if m["release"] == serving}

    def found() -> bool:
        return bool(records(prod, "stream:access app:writer path:/echo*"))

    wait_until(found, seconds=SECONDS, what="the request in the log store", poll=0.5)
    request = records(prod, "stream:access app:writer path:/echo*")[0]

    assert (request["fields"]["status"], request["process"]) == (200, "balancer")
    assert request["release"] == serving
    assert request["machine"] in fleet
    assert records(prod, "app:dayfly process:server serving")


def test_the_environment_tells_where_its_store_is_and_what_is_in_it(prod: Production) -> None:
    services = json.loads(prod.typed("status", "--json"))["services"]

    assert services["logs"] == {
        "state": "up",
        "url": f"http://127.0.0.1:{prod.logs}",
        "problems": [],
    }
    assert services["forwarder"]["state"] == "up"
    assert "logs up" in prod.typed("status")
    assert json.loads(prod.typed("logs", "usage", "--json"))["free"] > 0


def test_a_token_of_a_sender_sends_and_asks_nothing(prod: Production) -> None:
    token = prod.typed("token", "create", "ci_1", "--scope", "logs:write").strip()
    url = f"http://127.0.0.1:{prod.logs}"

    def curl(*words: str) -> str:
        status = ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}"]
        return output_of([*status, *words])

    sent = json.dumps({"time": datetime.now(UTC).isoformat(), "message": "sent", "app": "ci"})
    send = ["-H", "Content-Type: application/x-ndjson", "--data", sent]
    ways = [
        ["-H", f"Authorization: Bearer {token}"],
        ["-H", f"Authorization: ApiKey {token}"],
        ["-H", f"Authorization: Splunk {token}"],
        ["-u", f"anybody:{token}"],
    ]
    assert [curl(*way, *send, f"{url}/ingest") for way in ways] == ["200"] * 4
    assert curl(*ways[0], f"{url}/search") == "403"
    assert "sent" in prod.typed("logs", "app:ci")
    assert token not in (prod.home.logs / "tokens.json").read_text()
    assert "ci_1" in prod.typed("token", "ls")
    again = prod.type("token", "create", "ci_1", "--scope", "logs:write")
    assert (again.status, "there is a token ci_1 already" in again.said) == (1, True)

    prod.typed("token", "revoke", "ci_1")

    assert curl(*ways[0], *send, f"{url}/ingest") == "401"


def test_a_machine_waits_until_the_store_has_its_last_line(
    prod: Production, writer: Project
) -> None:
    """It writes until it is ended, so that something is not in when the store goes."""
    first = prod.released(writer, commit(writer, lines=1000, pause=0.1))
    machine = f"writer-{first}-web-1"
    _ctl(prod, "stop", "logs")
    try:
        prod.released(writer, commit(writer, lines=1))
        wait_until(
            lambda: machine in prod.client.get("/api/status")["services"]["forwarder"]["waiting"],
            seconds=SECONDS,
            what=f"{machine} has ended and waits",
        )
        assert not prod.processes_of(machine=machine)
        assert (prod.home.machines / machine).exists()
        said = prod.typed("status")
        assert "until the log store and the archive have all of it" in said
        assert "logs down" in said
        text = (prod.home.output / machine / "output.log").read_text()
        refused = prod.type("logs", "line")
        assert (refused.status, "log store does not answer" in refused.said) == (1, True)
    finally:
        _ctl(prod, "start", "logs")
    wait_until(
        lambda: not (prod.home.machines / machine).exists(),
        seconds=60,
        what=f"{machine} is retired",
    )

    lines = [line for line in text.splitlines() if f" of {machine}" in line]
    assert messages(prod, first, "line") == Counter(lines)
    assert len(lines) > 2


def test_nothing_is_lost_or_doubled_when_everything_is_killed(
    prod: Production, writer: Project
) -> None:
    rng = random.Random(7)
    number = prod.released(writer, commit(writer, lines=1500, pause=0.004, machines=2))
    end = time.monotonic() + 7
    while time.monotonic() < end:
        victims = rng.choice([prod.forwarders, prod.log_servers, prod.forwarders])()
        if victims:
            prod.kill(victims)
        time.sleep(rng.random())
    expected = wanted(prod, number, 1500)

    wait_for(prod, number, expected)

    found = messages(prod, number, "line") + messages(prod, number, "file")
    assert found - expected == Counter()
    assert expected - found == Counter()


def test_what_a_killed_machine_wrote_is_there_once(prod: Production, writer: Project) -> None:
    number = prod.released(writer, commit(writer, lines=100_000, pause=0.001))
    machine = f"writer-{number}-web-1"
    output = prod.home.output / machine / "output.log"
    time.sleep(1)
    prod.kill(prod.processes_of(machine=machine))
    wait_until(
        lambda: not (prod.home.machines / machine).exists(), seconds=60, what="it is retired"
    )

    whole = output.read_text().splitlines()
    found = Counter(each["message"] for each in records(prod, "line", f"--machine={machine}"))

    assert found == Counter(line for line in whole if line.startswith("line "))
    assert found.total() > 100


def test_down_and_up_keep_it_all(prod: Production, writer: Project) -> None:
    number = prod.released(writer, commit(writer, lines=50))
    machine = f"writer-{number}-web-1"  # after `up` another one serves
    prod.typed("down")
    assert list(prod.home.machines.iterdir()) == []
    prod.up()

    def found() -> Counter[str]:
        said = records(prod, "line OR file", "--machine", machine)
        return Counter(each["message"] for each in said)

    expected = Counter(
        f"{word} {n} of {machine}" for word in ("line", "file") for n in range(1, 51)
    )
    wait_until(lambda: found() == expected, seconds=SECONDS, what="all of its lines", poll=0.5)


def _ctl(prod: Production, *words: str) -> None:
    conf = str(prod.home.run / "supervisord.conf")
    argv = [sys.executable, "-m", "supervisor.supervisorctl", "-c", conf, *words]
    output_of(argv, setting=Setting(cwd=Path("/")))


@pytest.mark.docker
def test_lines_of_a_container_are_found_when_it_is_gone() -> None:
    need_docker()
    with open_folder() as folder, running(folder, runtime="docker") as prod:
        app = project(folder / "boxed")
        (app.folder / "Dockerfile").write_text(f"FROM {python_image()}\nCOPY . /app\n")
        said = 'echo "said by $DAYFLY_MACHINE"; echo "written by $DAYFLY_MACHINE" > log/own.log'
        changes = {
            '"exec python3 app.py"': f"'''{said}; exec python3 app.py'''",
            "machines = 2": "machines = 1",
            'warm         = "5m"': 'warm         = "1s"',
        }
        more = f'[build]\ndockerfile = "Dockerfile"\n{FILES}'
        first = prod.released(app, app.commit(changes=changes, more=more))
        machine = f"boxed-{first}-web-1"
        prod.released(app, app.commit(changes=changes, more=more))
        folder_of_machine = prod.home.machines / machine
        wait_until(lambda: not folder_of_machine.exists(), seconds=SECONDS, what="it is retired")

        found = records(prod, "said OR written", "--release", str(first), "--app", "boxed")

        assert {(each["stream"], each["message"], each["machine"]) for each in found} == {
            ("stdout", f"said by {machine}", machine),
            ("log/own.log", f"written by {machine}", machine),
        }
