"""`docker build`, told as the steps of an app, and nothing left of one that fails."""

import time
from collections.abc import Sequence

from dayfly.command import CommandError, Setting, run
from dayfly.config.inherited import inherited_with
from dayfly.images.builder import BuildError
from dayfly.images.context import Context
from dayfly.images.dockerfile import PROXY
from dayfly.images.engine import docker, translated
from dayfly.images.progress import Progress
from dayfly.images.workplace import Builders, failed


def build(context: Context, name: str, builders: Builders) -> str:
    """Build the image of this name; BuildError tells which step failed, and how.

    What the leading steps made in a stage before the last, which is no part of the image and makes
    the next build quick: an id, empty where there is one stage.
    """
    labels = (f"--label={label}={context.labels[label]}" for label in context.labels)
    # Who lists processes sees command lines, but not the variables that docker itself is told.
    hidden = {name: text for name, text in context.arguments.items() if PROXY.fullmatch(name)}
    shown = (f"{name}={text}" for name, text in context.arguments.items() if name not in hidden)
    arguments = [f"--build-arg={each}" for each in (*shown, *hidden)]
    argv = [
        "env", "DOCKER_BUILDKIT=0", "docker", "build", "--force-rm", "--network=host",
        f"--file={context.dockerfile}", f"--tag={name}", *labels, *arguments, str(context.folder),
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
            raise failed("docker build", error, builders.ends) from error
        if error.status is None or "Cannot connect to the Docker" in error.tail:
            raise translated(error) from error
        raise BuildError(progress.failure(), hint="\n".join(progress.tail)) from error
    finally:
        _clear(progress.left_behind if done else progress.unfinished)
    return progress.known if progress.left_behind else ""


def _clear(unfinished: Sequence[str]) -> None:
    """Remove what was made of a source and is no part of an image; leading steps stay known."""
    for image in unfinished:
        try:
            docker("image", "rm", "--no-prune", image)
        except BuildError:
            continue  # another build's image is made of it
