"""Machines that serve are compared with what was built; one that differs is replaced."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import cutovers
import traffic
from dayfly.clock import wait_until
from dayfly.command import output_of
from production import Production, Project, assert_serving, project, running
from production.checks import answer
from workshop import need_docker, open_folder

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.haproxy,
    pytest.mark.sampled(1, of="file"),
]

PATIENCE = 30.0
ALERT = """\
[drift]
every = "1s"
[alert.drift]
command = 'echo "$DAYFLY_MESSAGE" >> {folder}/told'
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


def names(prod: Production, app: Project) -> set[str]:
    return {each["machine"] for each in prod.machines(app.app)}


def deeds(prod: Production, release: int) -> list[tuple[str, str]]:
    told = [event.data for event in prod.events(release) if event.kind == "machine.drifted"]
    return [(each["machine"], each["deed"]) for each in told]


def healed(prod: Production, app: Project, release: int, change: Callable[[str], None]) -> str:
    """Machine 1 drifts under load; nothing is lost, and another one takes its place."""
    drifted = f"{app.app}-{release}-web-1"
    most = set[int]()
    load = traffic.kinds("get", "post", "keepalive", "slow")
    with traffic.steady(traffic.Plan(target=prod.url, kinds=load, seed=20, slow=2)) as client:
        change(drifted)

        def gone() -> bool:
            most.add(len(names(prod, app)))
            return drifted not in names(prod, app)

        wait_until(gone, seconds=PATIENCE, what="the drifted machine goes", poll=0.2)
        tally = client.stop()
    assert tally.failed == 0, tally.told()
    assert max(most) <= 3, "one fresh machine beside the two, never more"
    assert names(prod, app) == {f"{app.app}-{release}-web-{place}" for place in (2, 3)}
    assert deeds(prod, release) == [(drifted, "replaced")]
    assert_serving(prod, app.app, release)
    return drifted


def in_its_folder(prod: Production, name: str) -> Path:
    return prod.home.machines / name / "app/app.py"


def test_a_process_that_drifted_is_replaced_and_a_damaged_image_is_told(folder: Path) -> None:
    with running(folder, last=ALERT.format(folder=folder)) as prod:
        app = project(prod.folder / "kinds")
        release = prod.released(app, app.commit())

        def patched_by_hand(name: str) -> None:
            file = in_its_folder(prod, name)
            fresh = file.with_name("app.py.new")
            file.parent.chmod(0o755)
            fresh.write_bytes(file.read_bytes() + b"# a hotfix\n")
            fresh.chmod(0o444)
            fresh.replace(file)

        drifted = healed(prod, app, release, patched_by_hand)
        says = (folder / "told").read_text()
        assert f"{drifted} is not what was built (file /app/app.py)" in says

        image = in_its_folder(prod, f"{app.app}-{release}-web-3")
        mode = image.stat().st_mode
        image.chmod(0o644)
        with image.open("ab") as file:  # the same file in the image, and in every machine of it
            file.write(b"# written through\n")
        image.chmod(mode & 0o777)

        def told() -> bool:
            return any("its image on this host" in p for p in prod.app(app.app)["problems"])

        wait_until(told, seconds=PATIENCE, what="the damaged image is told")
        assert "drifted: file /app/app.py" in prod.typed("machines")
        assert "drifted: file /app/app.py" in prod.typed("status")
        assert "drifted" in prod.page("/")
        assert answer(prod)["release"] == str(release), "it serves on"
        assert {deed for machine, deed in deeds(prod, release) if machine != drifted} == {"kept"}


@pytest.mark.docker
def test_a_container_that_drifted_is_replaced(folder: Path) -> None:
    need_docker()
    with cutovers.stage(
        folder, "docker", cutovers.SHORT, last=ALERT.format(folder=folder)
    ) as scene:
        app, prod = scene.project, scene.prod

        def changed_from_outside(name: str) -> None:
            root = "{{.GraphDriver.Data.MergedDir}}"
            found = ["docker", "inspect", f"--format={root}", f"dayfly-{prod.id}-{name}"]
            Path(output_of(found).strip(), "usr/bin/miner").write_text("#!/bin/sh\n")

        healed(prod, app, 1, changed_from_outside)
