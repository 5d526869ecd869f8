"""Images of the docker runtime: from the app's Dockerfile, or from its steps on a base."""

import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from dayfly.clock import Stop
from dayfly.command import CommandError, run
from dayfly.config.app import App
from dayfly.images.base import BASE, made_base
from dayfly.images.builder import BuildError, OnLine, disk_errors_told
from dayfly.images.dockerfile import Instruction, arguments_of, ca_bundle_of, instructions_of
from dayfly.images.engine import docker, labelled, translated
from dayfly.images.fingerprint import key_of, of_source
from dayfly.images.image import Image
from dayfly.images.progress import Progress
from dayfly.images.steps import known_inputs
from dayfly.images.workplace import copied, remove

# Not the labels of machines: a container inherits those of its image, whoever starts it.
_LABEL = "dayfly.image"
_ARG = re.compile(r"^\s*ARG\s+(\w+)", re.MULTILINE | re.IGNORECASE)
_PROXY = re.compile(r"(https?|no|all)_proxy", re.IGNORECASE)  # docker knows these undeclared


@dataclass(frozen=True, kw_only=True)
class ContainerBuilder:
    """Builds images labelled with the `environment`'s id; `folder` is for what docker reads."""

    folder: Path
    environment: str
    inherited: Mapping[str, str]  # what builds may see of our environment

    def key(self, app: App, source: Path) -> str:
        made_of = app.build.dockerfile or app.build.base or BASE
        env = (f"{name}={value}" for name, value in sorted(app.env.items()))
        return key_of("docker", made_of, *app.build.steps, "", *env, "", of_source(source))

    def build(self, app: App, commit: str, source: Path, *, on_line: OnLine, stop: Stop) -> Image:
        started = time.monotonic()
        key = self.key(app, source)
        found = self._labelled({"app": app.app, "key": key})
        if found:
            return found[0]
        name = f"dayfly-{self.environment}/{app.app}:{key}"
        labels = {"environment": self.environment, "app": app.app, "commit": commit, "key": key}
        words = [*(f"--label={_LABEL}.{name}={labels[name]}" for name in labels), f"--tag={name}"]
        with disk_errors_told(self.folder), self._context(app, source, on_line, stop) as context:
            ends = started + app.build.deadline
            _run_build(context, words, on_line, stop, max(ends - time.monotonic(), 0))
        (image,) = self._labelled({"app": app.app, "key": key})
        return replace(image, seconds=time.monotonic() - started)

    def images(self) -> tuple[Image, ...]:
        """The complete ones, newest first."""
        return self._labelled({})

    def find(self, app_name: str, commit: str) -> Image | None:
        return next(iter(self._labelled({"app": app_name, "commit": commit})), None)

    def remove(self, image: Image) -> None:
        """Remove an image, and the cached layers that no other image needs."""
        if self._labelled({"app": image.app, "key": image.key}):
            docker("image", "rm", f"dayfly-{self.environment}/{image.app}:{image.key}")

    def _labelled(self, labels: Mapping[str, str]) -> tuple[Image, ...]:
        wanted = {"environment": self.environment, **labels}
        found = labelled({f"{_LABEL}.{name}": wanted[name] for name in wanted})
        return tuple(_image(about) for about in found)

    @contextmanager
    def _context(self, app: App, source: Path, on_line: OnLine, stop: Stop) -> Iterator["_Context"]:
        if app.build.dockerfile:
            yield _own_context(app.build.dockerfile, source, self.inherited)
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        base = app.build.base or made_base(self.folder, on_line, stop)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".context-") as place:
            yield _context_of_steps(app, source, base, self.inherited, Path(place))


@dataclass(frozen=True, kw_only=True)
class _Context:
    """What `docker build` is given."""

    folder: Path
    dockerfile: Path
    arguments: Mapping[str, str]
    instructions: Sequence[Instruction]  # none of an app's own Dockerfile


def _own_context(dockerfile: str, source: Path, inherited: Mapping[str, str]) -> _Context:
    path = PurePosixPath(dockerfile)
    if path.is_absolute() or ".." in path.parts or not (source / path).is_file():
        raise BuildError(
            f"the source has no file {dockerfile}",
            hint="dockerfile under [build] names a file of the repository.",
        )
    declared = _ARG.findall((source / path).read_text(errors="replace"))
    known = arguments_of(inherited, {})
    passed = {name: known[name] for name in known if name in declared or _PROXY.fullmatch(name)}
    return _Context(folder=source, dockerfile=source / path, arguments=passed, instructions=())


def _context_of_steps(
    app: App, source: Path, base: str, inherited: Mapping[str, str], place: Path
) -> _Context:
    """The source lies in `app/`, so that neither a Dockerfile nor a .dockerignore of it counts."""
    known = known_inputs(app.build.steps, source)
    arguments = arguments_of(inherited, app.env)
    ca_bundle = ca_bundle_of(inherited)
    instructions = instructions_of(
        base, app.build.steps, known, arguments=tuple(arguments), ca_bundle=ca_bundle is not None
    )
    copied(source, place / "app", linked=source.stat().st_dev == place.stat().st_dev)
    if len(known) == len(app.build.steps):
        remove(place / "app" / ".git")  # only steps that see the source may ask it
    if ca_bundle:
        (place / "ca.crt").write_bytes(ca_bundle.read_bytes())
    dockerfile = place / "Dockerfile"
    dockerfile.write_text("".join(f"{instruction.text}\n" for instruction in instructions))
    return _Context(
        folder=place, dockerfile=dockerfile, arguments=arguments, instructions=instructions
    )


def _run_build(
    context: _Context, words: Sequence[str], on_line: OnLine, stop: Stop, seconds: float
) -> None:
    arguments = (f"--build-arg={name}={context.arguments[name]}" for name in context.arguments)
    argv = [
        "env", "DOCKER_BUILDKIT=0", "docker", "build", "--force-rm", "--network=host",
        f"--file={context.dockerfile}", *words, *arguments, str(context.folder),
    ]  # fmt: skip
    progress = Progress(context.instructions, on_line)
    done = False
    try:
        run(argv, on_line=progress.line, stop=stop, seconds=seconds)
        done = True
    except CommandError as error:
        if error.status is None or "Cannot connect to the Docker" in error.tail:
            raise translated(error) from error
        raise BuildError(progress.failure(), hint="\n".join(progress.tail)) from error
    finally:
        if not done:
            _clear(progress.unfinished)


def _clear(unfinished: Sequence[str]) -> None:
    """Remove what a failed build made of its source; leading steps stay known."""
    for image in unfinished:
        try:
            docker("image", "rm", "--no-prune", image)
        except BuildError:
            continue  # another build's image is made of it


def _image(about: Mapping[str, Any]) -> Image:
    labels = about["Config"]["Labels"]
    return Image(
        key=labels[f"{_LABEL}.key"],
        app=labels[f"{_LABEL}.app"],
        commit=labels[f"{_LABEL}.commit"],
        runtime="docker",
        reference=about["Id"],
        size=about["Size"],
    )
