"""Docker Engine, as far as images go; its errors in words that say what to do."""

import json
from collections.abc import Sequence
from typing import Any

from dayfly.command import CommandError, output_of
from dayfly.images.builder import BuildError

SECONDS = 300.0


def docker(*words: str) -> str:
    """What `docker words…` prints."""
    try:
        return output_of(["docker", *words], seconds=SECONDS)
    except CommandError as error:
        raise translated(error) from error


def translated(error: CommandError) -> BuildError:
    if "no such program" in error.message:
        return BuildError(
            "the docker program is not installed",
            hint='Install it: apt install docker.io, or set runtime = "process".',
        )
    if "Cannot connect to the Docker daemon" in error.tail or "permission denied" in error.tail:
        return BuildError(
            "Docker Engine does not answer",
            hint=f"Is dockerd running, and may this user talk to it?\n{error.tail}",
        )
    return BuildError(error.message, hint=error.tail)


def image_exists(name: str) -> bool:
    return bool(docker("image", "ls", "--quiet", "--filter", f"reference={name}").strip())


def image_id(name: str) -> str | None:
    """Which image has this name or id; None where docker has none."""
    try:
        return output_of(["docker", "image", "inspect", "--format={{.Id}}", name]).strip()
    except CommandError as error:
        if "No such image" in error.tail:
            return None
        raise translated(error) from error


def labelled(labels: dict[str, str]) -> list[dict[str, Any]]:
    """What docker knows of the images with these labels, newest first."""
    filters = [f"--filter=label={name}={value}" for name, value in labels.items()]
    ids = dict.fromkeys(docker("image", "ls", "--quiet", "--no-trunc", *filters).split())
    return _inspected(tuple(ids)) if ids else []


def _inspected(ids: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(docker("image", "inspect", *ids))
    return sorted(found, key=lambda image: str(image["Created"]), reverse=True)
