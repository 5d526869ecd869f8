"""`docker build`, told as the steps of an app, and nothing left of one that fails."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from dayfly.command import CommandError, Setting, run
from dayfly.config.inherited import inherited_with
from dayfly.images.builder import BuildError
from dayfly.images.context import Context
from dayfly.images.dockerfile import PROXY
from dayfly.images.engine import docker, translated
from dayfly.images.progress import Progress
from dayfly.images.workplace import Builders, failed

_STOPPED_SECONDS, _POLL_SECONDS = 20.0, 0.2


@dataclass(frozen=True)
class Known:
    """Names for what the leading steps made, which makes the next build quick."""

    beside: str  # an image of which it is no part
    instead: str  # of one that was not built


def build(context: Context, name: str, builders: Builders, known: Known) -> None:
    """Build the image of this name; BuildError tells which step failed, and how."""
    labels = (f"--label={label}={context.labels[label]}" for label in context.labels)
    # Who lists processes sees command lines, but not the variables that docker itself is told.
    hidden = {name: text for name, text in context.arguments.items() if PROXY.fullmatch(name)}
    shown = (f"{name}={text}" for name, text in context.arguments.items() if name not in hidden)
    arguments = [f"--build-arg={each}" for each in (*shown, *hidden)]
    argv = [
        "env", "DOCKER_BUILDKIT=0", "docker", "build", "--force-rm", "--network=host",
        f"--file={context.dockerfile}", tag_told(name), *labels, *arguments, str(context.folder),
    ]  # fmt: skip
    progress = Progress(context.instructions, builders.on_line)
    left = max(builders.ends - time.monotonic(), 0)
    done = False
    try:
        setting = Setting(env=inherited_with(**hidden))
        run(argv, setting=setting, on_line=progress.line, stop=builders.stop, seconds=left)
        done = True
    except CommandError as error:
        if error.status is None and builders.ends <= time.monotonic():
            raise failed(progress.doing, error, builders.ends) from error
        if error.status is None or "Cannot connect to the Docker" in error.tail:
            raise translated(error) from error
        raise BuildError(progress.failure(), hint="\n".join(progress.tail)) from error
    finally:
        if progress.known and (progress.left_behind or not done):
            with suppress(BuildError):  # the engine is gone
                docker("tag", progress.known, known.beside if done else known.instead)
        _clear(progress.left_behind if done else progress.unfinished)


def tag_told(name: str) -> str:
    """The word that names the image to be, by which a build is found again."""
    return f"--tag={name}"


def _clear(unfinished: Sequence[str]) -> None:
    """Remove what was made of a source and is no part of an image; leading steps stay known.

    A step that is stopped has its container a moment longer.
    """
    ends = time.monotonic() + _STOPPED_SECONDS
    for image in unfinished:
        while True:
            try:
                docker("image", "rm", "--no-prune", image)
            except BuildError as error:
                if "container" in error.hint and time.monotonic() < ends:
                    time.sleep(_POLL_SECONDS)
                    continue
            break  # or another build's image is made of it
