"""Machines of one image are the same, file by file, until somebody changes one."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from dayfly.clock import wait_until
from dayfly.config.app import Process
from dayfly.config.units import Size
from dayfly.images.differences import Difference, differences
from dayfly.images.exported import contents_of_image
from dayfly.images.image import Image
from dayfly.images.tree import contents_of
from dayfly.machines.docker import DockerRuntime
from dayfly.machines.machine import Fingerprint, Runtime, Spec
from dayfly.machines.output import last_lines
from dayfly.release.limits import beyond

MakeSpec = Callable[..., Spec]


LIMITED = Process(run="./serve", memory=Size(64 * 1024**2), cpus=0.5)


def root_of(runtime: DockerRuntime, name: str) -> Path:
    """The file system of a container, as root of this host can change it."""
    words = ["docker", "inspect", f"dayfly-{runtime.environment}-{name}"]
    told = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    return Path(told[0]["GraphDriver"]["Data"]["MergedDir"])


def own_files(runtime: Runtime, name: str, home: Path) -> Path:
    """The app's folder of a machine, as root of this host can change it."""
    if not isinstance(runtime, DockerRuntime):
        return home / "machines" / name / "app"
    return root_of(runtime, name) / "app"


def test_machines_of_an_image_are_the_same_until_one_is_changed(
    runtime: Runtime, spec: MakeSpec, image: Image, home: Path
) -> None:
    names = [f"shop-1-web-{number}" for number in (1, 2)]
    for name in names:
        runtime.launch(
            spec(
                "echo own > cache/own; echo up; exec sleep 60",
                name=name,
                keep={"uploads": home / "keep" / "uploads"},
                writable=("cache",),
                log_files=("log/*.log",),
                env={"MODE": name},
                memory=64 * 1024**2,
                cpus=0.5,
            )
        )
        wait_until(
            lambda name=name: "up" in last_lines(runtime.output(name)), seconds=10, what="start"
        )
    docker = isinstance(runtime, DockerRuntime)
    built = contents_of_image(image.reference) if docker else contents_of(image.tree / "app", image)

    def found(name: str) -> Fingerprint:
        return runtime.fingerprint(name, image, ("uploads", "cache", "log"))

    def changed(seen: Fingerprint) -> tuple[Difference, ...]:
        own = seen.contents.without(seen.outside)
        return differences(built.without(seen.outside).whole, own.whole)

    one, other = map(found, names)
    assert "app/hello.sh" in built.files
    assert changed(one) == changed(other) == ()
    assert one.bounds == other.bounds
    assert beyond(one.bounds, LIMITED) == ()
    assert {**one.bounds, **one.given} == one.bounds
    assert {"DAYFLY_MACHINE", "MODE"} <= set(one.bounds["environment"].split())
    assert "shop-1" not in str(one.bounds)  # names of variables, no values
    assert {"user", "capabilities", "limit of open files"} <= one.bounds.keys()

    file = own_files(runtime, names[1], home) / "hello.sh"
    file.unlink()
    file.write_text("echo other\n")
    file.chmod(0o444)
    assert changed(found(names[0])) == ()
    (told,) = changed(found(names[1]))
    assert (told.kind, told.name) == ("file", "/app/hello.sh")
    if isinstance(runtime, DockerRuntime):
        container = f"dayfly-{runtime.environment}-{names[0]}"
        more = ["docker", "update", "--memory=80m", "--memory-swap=80m", container]
        subprocess.run(more, capture_output=True, check=True)
        root = root_of(runtime, names[0])
        (root / "var/tmp").mkdir(parents=True, exist_ok=True)
        (root / "var/tmp/miner").write_text("#!/bin/sh\n")
        rights = bytes.fromhex("0100000200042000000000000000000000000000")
        os.setxattr(root / "app/hello.sh", "security.capability", rights)
        seen = found(names[0])
        assert {each.name for each in changed(seen)} >= {"/app/hello.sh", "/var/tmp/miner"}
        assert [each.name for each in beyond(seen.bounds, LIMITED)] == ["memory"]
    runtime.stop(names[0], 0)
    assert found(names[0]).bounds == {}
