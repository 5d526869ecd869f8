"""Machines of one image are the same, file by file, until somebody changes one."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from dayfly.clock import wait_until
from dayfly.images.differences import Difference, differences
from dayfly.images.exported import contents_of_image
from dayfly.images.image import Image
from dayfly.images.tree import contents_of
from dayfly.machines.docker import DockerRuntime
from dayfly.machines.machine import Fingerprint, Runtime, Spec
from dayfly.machines.output import last_lines

MakeSpec = Callable[..., Spec]


def own_files(runtime: Runtime, name: str, home: Path) -> Path:
    """The app's folder of a machine, as root of this host can change it."""
    if not isinstance(runtime, DockerRuntime):
        return home / "machines" / name / "app"
    words = ["docker", "inspect", f"dayfly-{runtime.environment}-{name}"]
    told = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    return Path(told[0]["GraphDriver"]["Data"]["MergedDir"], "app")


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
        return differences(built.without(seen.outside), seen.contents.without(seen.outside))

    one, other = map(found, names)
    assert "app/hello.sh" in built.files
    assert changed(one) == changed(other) == ()
    assert one.bounds == other.bounds
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
    runtime.stop(names[0], 0)
    assert found(names[0]).bounds == {}
