"""What docker's images and containers hold, read from the outside: nothing runs in them."""

import json
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from dayfly.command import started
from dayfly.images.builder import BuildError
from dayfly.images.contents import Contents, of_archive
from dayfly.images.dockerfile import UNSEAL
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


def files_of_image(reference: str, named: Callable[[str], bool], into: Path) -> None:
    """Those of the app's folder that are named; what a link leads to is none of them."""
    folder = docker("image", "inspect", "--format={{.Config.WorkingDir}}", reference).strip()
    into.mkdir()
    with _unstarted(reference) as container:
        place = f"{container}:{PurePosixPath(folder or '/')}/."
        same = _taken(place, named, into)
        outside = {name for name in same.values() if not (into / name).exists()}
        if outside:  # the same file has another name that is not named
            _taken(place, outside.__contains__, into)
    for name, other in same.items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        (into / name).hardlink_to(into / other)


def _taken(place: str, named: Callable[[str], bool], into: Path) -> dict[str, str]:
    """Files are written; second names of files are told, each with the first."""
    same = dict[str, str]()
    with started(["docker", "cp", place, "-"]) as process:
        if process.stdout is None:
            raise ValueError("started without a pipe")
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
                for member in archive:
                    name = str(PurePosixPath(member.name))
                    if named(name) and member.islnk():
                        same[name] = str(PurePosixPath(member.linkname))
                    elif named(name) and member.isreg() and (file := archive.extractfile(member)):
                        (into / name).parent.mkdir(parents=True, exist_ok=True)
                        with (into / name).open("xb") as copy:
                            shutil.copyfileobj(file, copy)
            process.stdout.read()
        except tarfile.TarError as error:
            raise BuildError(f"docker can't read {place}") from error
        if process.wait():
            raise BuildError(f"docker can't read {place}")
    return same


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
    return re.sub(r"^(/bin/)?sh (-e )?-c (#\(nop\))?", "", words).strip().removeprefix(UNSEAL)


def _words(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@contextmanager
def _unstarted(reference: str) -> Iterator[str]:
    container = docker("create", "--entrypoint=/", reference).strip()
    try:
        yield container
    finally:
        docker("rm", "--force", "--volumes", container)
