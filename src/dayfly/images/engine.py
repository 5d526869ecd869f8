"""Docker Engine, as far as images go; its errors in words that say what to do."""

import json
from collections.abc import Sequence
from typing import Any

from dayfly.command import CommandError, output_of, run
from dayfly.images.builder import BuildError

SECONDS = 300.0
_MISSING = "No such image"


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


def described(name: str) -> dict[str, Any] | None:
    """What docker knows of the image with this name or id; None where it has none.

    Asking for one by its name is much cheaper than a list, for which docker looks at all it has.
    """
    try:
        (found,) = json.loads(output_of(["docker", "image", "inspect", name]))
    except CommandError as error:
        if _MISSING in error.tail:
            return None
        raise translated(error) from error
    return dict(found)


def there(names: Sequence[str]) -> frozenset[str]:
    """Those of these names, with tags, that docker has."""
    words = ["docker", "image", "inspect", "--format={{json .RepoTags}}", *names]
    lines = list[str]()
    done = run(words, on_line=lines.append, seconds=SECONDS, check=False)
    if done.status and _MISSING not in done.output:
        raise translated(CommandError("docker image inspect failed", tail=done.output))
    tags = (json.loads(line) or () for line in lines if line.startswith(("[", "null")))
    return frozenset(tag for each in tags for tag in each).intersection(names)


def labelled(labels: dict[str, str]) -> list[dict[str, Any]]:
    """What docker knows of the images with these labels, newest first."""
    filters = [f"--filter=label={name}={value}" for name, value in labels.items()]
    ids = dict.fromkeys(docker("image", "ls", "--quiet", "--no-trunc", *filters).split())
    return _inspected(tuple(ids)) if ids else []


def _inspected(ids: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(docker("image", "inspect", *ids))
    return sorted(found, key=lambda image: str(image["Created"]), reverse=True)
