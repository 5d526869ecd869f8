"""One small app as an image for each runtime, and runtimes that leave nothing behind."""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dayfly.images.image import Image
from dayfly.machines.docker import DockerRuntime
from dayfly.machines.machine import Runtime, Spec
from dayfly.machines.process import ProcessRuntime
from dayfly.machines.workdir import discard
from small_image import archive, imported

TAG = "dayfly-test/machines:3"
PROGRAMS = ("cat", "env", "id", "ls", "sleep", "touch", "nohup", "setsid", "readlink")


def missing(what: str) -> None:
    """On a laptop the test is skipped; where the whole suite is promised it fails."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing")
    pytest.skip(f"{what} is missing")


def app_files(folder: Path) -> None:
    (folder / "package").mkdir(parents=True)
    (folder / "package" / "data.txt").write_text("of the image\n")
    (folder / "cache").mkdir()
    (folder / "cache" / "seed").write_text("seed\n")
    (folder / "hello.sh").write_text("echo hello\n")
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o444)  # as built images are


@pytest.fixture
def home() -> Iterator[Path]:
    """Any user can pass through it, as through a real DAYFLY_HOME."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="dayfly-test-"))
    folder.chmod(0o755)
    yield folder
    discard(folder)


@pytest.fixture
def environment() -> str:
    return uuid.uuid4().hex[:8]


@pytest.fixture
def tree(home: Path) -> Image:
    """An image for processes."""
    folder = home / "image"
    app_files(folder / "app")
    return Image(
        key="1", app="shop", commit="c0ffee", runtime="process", reference=str(folder), size=1
    )


@pytest.fixture(scope="session")
def docker_image() -> Image:
    """An image for docker from programs of this host, so that no registry is needed."""
    if (
        not shutil.which("docker")
        or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
    ):
        missing("a Docker Engine")
    with tempfile.TemporaryDirectory() as app:
        app_files(Path(app))
        Path(app).chmod(0o755)
        imported(TAG, archive(PROGRAMS, Path(app)))
    return Image(key="1", app="shop", commit="c0ffee", runtime="docker", reference=TAG, size=1)


@pytest.fixture
def process_runtime(home: Path, environment: str) -> Iterator[ProcessRuntime]:
    made = ProcessRuntime(home, environment)
    yield made
    for machine in made.machines():
        made.remove(machine.name)


@pytest.fixture
def docker_runtime(home: Path, environment: str, docker_image: Image) -> Iterator[DockerRuntime]:
    made = DockerRuntime(home, environment)
    yield made
    for machine in made.machines():
        made.remove(machine.name)


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def runtime(request: pytest.FixtureRequest) -> Runtime:
    made: Runtime = request.getfixturevalue(f"{request.param}_runtime")
    return made


@pytest.fixture
def image(runtime: Runtime, request: pytest.FixtureRequest) -> Image:
    found: Image = request.getfixturevalue("tree" if runtime.name == "process" else "docker_image")
    return found


MakeSpec = Callable[..., Spec]


@pytest.fixture
def spec(image: Image) -> MakeSpec:
    """A machine of the small app that runs a command."""

    def make(run: str, name: str = "shop-1-web-1", **more: object) -> Spec:
        return Spec(
            name=name,
            app="shop",
            release=1,
            process="web",
            image=image,
            run=run,
            **more,  # type: ignore[arg-type]
        )

    return make
