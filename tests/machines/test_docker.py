"""What only holds for machines that are containers."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dayfly.clock import wait_until
from dayfly.images.image import Image
from dayfly.machines import container
from dayfly.machines.cgroup import beside
from dayfly.machines.container import numeric_user
from dayfly.machines.docker import DockerRuntime
from dayfly.machines.engine import Engine, EngineError
from dayfly.machines.folder import Folders
from dayfly.machines.intent import intend
from dayfly.machines.machine import MachineError, Spec
from dayfly.machines.ports import Ports

MakeSpec = Callable[..., Spec]
pytestmark = pytest.mark.docker


@pytest.fixture
def runtime(docker_runtime: DockerRuntime) -> DockerRuntime:
    return docker_runtime


def test_an_engine_that_is_not_there(home: Path, tree: Image) -> None:
    runtime = DockerRuntime(home, "e0", engine=Engine(home / "docker.sock"))
    wanted = Spec(name="m", app="shop", release=1, process="web", image=tree, run="true")

    with pytest.raises(EngineError, match=r"can't be reached at .*: No such file") as caught:
        runtime.launch(wanted)
    with pytest.raises(EngineError, match="can't be reached"):
        runtime.machines()

    assert "dockerd" in caught.value.hint


def test_a_container_has_no_more_rights_than_it_needs(
    runtime: DockerRuntime, spec: MakeSpec
) -> None:
    machine = runtime.launch(spec("exec sleep 60", memory=128 * 1024 * 1024, cpus=0.5, port=True))
    name = f"dayfly-{runtime.environment}-{machine.name}"
    told = json.loads(subprocess.check_output(["docker", "inspect", name]))[0]
    host, config = told["HostConfig"], told["Config"]

    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["ReadonlyRootfs"]
    assert (host["Memory"], host["NanoCpus"], host["PidsLimit"]) == (134217728, 500000000, 4096)
    assert config["User"] == "10001"
    assert config["Labels"]["dayfly.release"] == "1"
    lines: list[str] = []
    runtime.run(
        spec("id -u; while read -r line; do echo $line; done < /proc/self/status", name="once"),
        on_line=lines.append,
    )
    assert lines[0] == "10001"
    assert "CapEff: 0000000000000000" in lines
    assert "NoNewPrivs: 1" in lines


def test_a_bridged_machine_has_an_address_of_its_own(
    home: Path, environment: str, spec: MakeSpec
) -> None:
    bridged = DockerRuntime(home, environment, network="bridge")
    try:
        machine = bridged.launch(spec("echo $PORT; exec sleep 60", port=True))
        assert machine.address is not None
        assert machine.address.endswith(":8000")
        assert not machine.address.startswith(("127.", ":"))
        assert bridged.machines() == (machine,)
    finally:
        bridged.remove("shop-1-web-1")


def test_a_container_that_was_only_created_is_seen_and_removed(
    runtime: DockerRuntime, spec: MakeSpec
) -> None:
    """A server died between the two steps."""
    wanted, folders = spec("true", port=True), Folders(runtime.home, runtime.environment)
    record = intend(wanted, folders, Ports(runtime.environment))
    assert runtime.machines()[0].reason == "was never started"
    body = container.description(
        wanted,
        labels=container.labels(wanted, runtime.environment, record.address),
        mounts=(),
        network="host",
        user=None,
    )
    runtime.engine.post(
        "/containers/create", body, name=f"dayfly-{runtime.environment}-{wanted.name}"
    )
    assert runtime.machines()[0].reason == "was never started"
    runtime.remove(wanted.name)
    assert runtime.machines() == ()


def test_a_container_whose_folder_is_gone_is_still_ours(
    runtime: DockerRuntime, spec: MakeSpec, home: Path
) -> None:
    launched = runtime.launch(spec("exec sleep 60"))
    (home / "machines" / launched.name).rename(home / "elsewhere")

    found = runtime.machines()

    assert [(each.name, each.app, each.state) for each in found] == [
        ("shop-1-web-1", "shop", "running")
    ]
    runtime.remove(launched.name)
    assert runtime.machines() == ()


def test_a_container_that_somebody_removed_is_an_ended_machine(
    runtime: DockerRuntime, spec: MakeSpec
) -> None:
    machine = runtime.launch(spec("exec sleep 60"))
    subprocess.run(
        ["docker", "rm", "-f", f"dayfly-{runtime.environment}-{machine.name}"],
        check=True,
        capture_output=True,
    )
    assert runtime.machines()[0].state == "exited"
    assert runtime.pids(machine.name) == ()
    runtime.stop(machine.name, 1)
    runtime.remove(machine.name)


@pytest.mark.parametrize(
    ("user", "uid"),
    [("", 0), ("10001", 10001), ("10001:7", 10001), ("app", 33), ("app:x", 33), ("nobody", None)],
)
def test_the_user_of_an_image(user: str, uid: int | None) -> None:
    assert numeric_user(user, "root:x:0:0::/:/bin/sh\napp:x:33:33::/:/bin/sh\nbroken\n") == uid


def test_a_user_whom_the_image_does_not_know(
    runtime: DockerRuntime, docker_image: Image, environment: str
) -> None:
    tag = f"dayfly-test/user:{environment}"
    with_user = f"FROM {docker_image.reference}\nUSER stranger\n"
    subprocess.run(
        ["docker", "build", "-q", "-t", tag, "-"],
        input=with_user.encode(),
        check=True,
        capture_output=True,
        env={"DOCKER_BUILDKIT": "0", "PATH": "/usr/bin:/bin"},
    )
    image = Image(key="1", app="shop", commit="c", runtime="docker", reference=tag, size=1)
    try:
        with pytest.raises(MachineError, match="'stranger', whom its /etc/passwd"):
            runtime.launch(
                Spec(name="m", app="shop", release=1, process="web", image=image, run="true")
            )
        assert runtime.machines() == ()
    finally:
        subprocess.run(["docker", "rmi", tag], check=True, capture_output=True)


def test_many_are_listed_quickly(runtime: DockerRuntime, spec: MakeSpec) -> None:
    for number in range(5):
        runtime.launch(spec("exec sleep 60", name=f"m{number}"))
    wait_until(lambda: len(runtime.machines()) == 5, seconds=5, what="all")
    assert {each.state for each in runtime.machines()} == {"running"}


def test_all_processes_of_a_container_are_found_at_once(
    runtime: DockerRuntime, spec: MakeSpec
) -> None:
    """By its cgroup, as by their descent."""
    machine = runtime.launch(spec("sleep 61 & (sleep 62 & exec sleep 63) & exec sleep 60"))

    def same() -> bool:
        found = runtime.pids(machine.name)
        return len(found) >= 4 and {*found} == {*beside(found[0])}

    wait_until(same, seconds=10, what="the same processes")
    assert not beside(1 << 22), "nothing has this pid"
