"""What docker's images and containers hold, read from the outside: nothing runs in them."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dayfly.command import started
from dayfly.images.builder import BuildError
from dayfly.images.contents import Contents, of_archive
from dayfly.images.engine import docker
from dayfly.images.image import LayerTold


def contents_of_container(name: str) -> Contents:
    """Of its own root file system, without what is mounted over it."""
    with started(["docker", "export", name]) as process:
        if process.stdout is None:
            raise ValueError("started without a pipe")
        found = of_archive(process.stdout)
        process.stdout.read()
        if process.wait():
            raise BuildError(f"docker can't export the container {name}")
    return found


def contents_of_image(reference: str) -> Contents:
    with _unstarted(reference) as container:
        return contents_of_container(container)


def configuration_of(reference: str) -> dict[str, str]:
    """What an image says of its machines, as words."""
    config = json.loads(docker("image", "inspect", "--format={{json .Config}}", reference)) or {}
    told: Mapping[str, Any] = {
        "user": config.get("User"),
        "folder": config.get("WorkingDir"),
        "entrypoint": config.get("Entrypoint"),
        "command": config.get("Cmd"),
        "volumes": config.get("Volumes"),
        **dict(pair.split("=", 1) for pair in config.get("Env") or ()),
    }
    return {name: _words(value) for name, value in told.items() if value}


def layers_of_image(reference: str) -> tuple[LayerTold, ...]:
    """Those that take space, the lowest first."""
    words = ("--no-trunc", "--human=false", "--format={{json .}}", reference)
    rows = [json.loads(line) for line in docker("history", *words).splitlines()]
    told = [LayerTold(about=made_by(row), size=int(row["Size"])) for row in reversed(rows)]
    return tuple(layer for layer in told if layer.size)


def made_by(row: Mapping[str, str]) -> str:
    """What a row of `docker history` tells: the step, or the instruction without its arguments."""
    if row["Comment"]:
        return row["Comment"]
    words = re.sub(r"^\|\d+ (\S+=\S* )*", "", row["CreatedBy"])
    return re.sub(r"^(/bin/)?sh (-e )?-c (#\(nop\))?", "", words).strip()


def _words(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@contextmanager
def _unstarted(reference: str) -> Iterator[str]:
    container = docker("create", "--entrypoint=/", reference).strip()
    try:
        yield container
    finally:
        docker("rm", "--force", "--volumes", container)
