"""The image of a release as a disk for a virtual machine: an answer of the API."""

import tempfile
import time
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dayfly.clock import Stop
from dayfly.config.app import App
from dayfly.config.units import Size, UnitError
from dayfly.environment.environment import Environment
from dayfly.errors import UsageError
from dayfly.images.builder import disk_errors_told
from dayfly.images.container import ContainerBuilder
from dayfly.images.contents import Contents
from dayfly.images.image import Image
from dayfly.images.vm.services import Recipe, Service, user_words
from dayfly.images.vm.vm import Wanted, made
from dayfly.images.workplace import Builders
from dayfly.machines.cgroup import PIDS
from dayfly.machines.container import BRIDGE_PORT
from dayfly.machines.docker import SURROUNDINGS
from dayfly.machines.launchfile import launch_text
from dayfly.machines.machine import Spec
from dayfly.machines.script import script_of
from dayfly.release.drift import mutable_of
from dayfly.release.fleet import image_of, process_wanted

DEFAULT = "4GB"
SECONDS = 1800.0
_CHUNK = 1024 * 1024
_OF_CONFIGURATION = ("user", "folder", "entrypoint", "command", "volumes")
_SSH = "openssh-server"


def vm(environment: Environment, request: Request) -> Response:
    """The disk, made for who asks; nothing of it is kept."""
    parts = environment.parts
    record = parts.journal.release(request.path_params["number"])
    size = _size(request.query_params.get("size") or DEFAULT)
    builder = parts.builder
    if not isinstance(builder, ContainerBuilder):
        raise UsageError(
            f"release {record.number} runs as processes of this host: it has no root file system"
            " that a VM could be made of",
            hint='Set runtime = "docker" in environment.toml, and release it again.',
        )
    image = image_of(parts, record)
    holds = builder.contents(image)
    app = parts.app_of(record)
    recipe = recipe_of(app, record.number, image, holds, builder.configuration(image))
    wanted = Wanted(
        image=image,
        holds=holds,
        name=f"dayfly-build-{builder.environment}-{record.app}-vm",
        size=size,
        recipe=recipe,
    )
    name = f"{recipe.host}.qcow2"
    with (
        disk_errors_told(builder.folder),
        tempfile.TemporaryDirectory(dir=builder.folder, prefix=".vm-") as place,
    ):
        file = made(wanted, Path(place), _builders(builder)).open("rb")  # and it is gone by name

    def pieces() -> Iterator[bytes]:
        with file:
            while piece := file.read(_CHUNK):
                yield piece

    headers = {
        "Content-Length": str(file.seek(0, 2)),
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    file.seek(0)
    return StreamingResponse(pieces(), headers=headers, media_type="application/octet-stream")


def recipe_of(
    app: App, release: int, image: Image, holds: Contents, says: Mapping[str, str]
) -> Recipe:
    """All processes of the app, each once, told what its machines elsewhere are told."""
    own = {name: value for name, value in says.items() if name not in _OF_CONFIGURATION}
    own["HOSTNAME"] = f"{app.app}-{release}"
    return Recipe(
        app=app.app,
        release=release,
        shim=resources.files("dayfly.machines").joinpath("shim.sh").read_text(),
        services=tuple(_service(app, release, image, process, own) for process in app.process),
        user=user_words(says.get("user", ""), holds.users),
        workdir=says.get("folder", "/"),
        tasks=PIDS,
        grace=float(max(app.release.drain, app.release.stream_drain)),
        secrets=app.secrets,
        folders=mutable_of(app),
        with_ssh=_SSH in holds.apt,
    )


def _service(app: App, release: int, image: Image, process: str, own: dict[str, str]) -> Service:
    wanted = process_wanted(app, process)
    spec = Spec(
        name=f"{app.app}-{release}-{process}",
        app=app.app,
        release=release,
        process=process,
        image=image,
        run=wanted.run,
        port=wanted.port,
        env=app.env,
    )
    port = BRIDGE_PORT if wanted.port else None
    return Service(
        name=process,
        launch=launch_text(spec, "vm", port=port, extra={**own, **SURROUNDINGS}),
        alone=script_of(wanted.run).alone,
        memory=None if wanted.memory is None else int(wanted.memory),
        cpus=wanted.cpus,
    )


def _builders(builder: ContainerBuilder) -> Builders:
    return Builders(
        inherited=builder.inherited,
        env={},
        home=builder.cache,
        uid=None,
        on_line=lambda _: None,
        stop=Stop(),
        ends=time.monotonic() + SECONDS,
    )


def _size(text: str) -> int:
    try:
        return int(Size.parse(text))
    except UnitError as error:
        raise UsageError(f"--size {text}: {error}") from error
