"""Images of the docker runtime: from the app's Dockerfile, or from its steps on a base."""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from dayfly.clock import Stop
from dayfly.config.app import App
from dayfly.config.image import ImageRecipe
from dayfly.images.atwork import AtWork
from dayfly.images.base import BASE
from dayfly.images.bases import base_of
from dayfly.images.builder import BuildError, OnLine, disk_errors_told
from dayfly.images.contents import Contents, kept
from dayfly.images.context import Context, Ground, context_of_steps, own_context
from dayfly.images.dockerbuild import Known, build, tag_told
from dayfly.images.dockerfile import USER
from dayfly.images.engine import described, docker, labelled, there
from dayfly.images.exported import (
    configuration_of,
    contents_of_image,
    files_of_image,
    layers_of_image,
)
from dayfly.images.fingerprint import key_of, of_source
from dayfly.images.image import Image, LayerTold
from dayfly.images.lock import Lock, beside, lock_of, unlocked
from dayfly.images.provision.provisioning import LAYER, Provisioning, remove_layers
from dayfly.images.salt import salt_of, salted
from dayfly.images.workplace import Builders
from dayfly.marked import end_told

# Not the labels of machines: a container inherits those of its image, whoever starts it.
_LABEL = "dayfly.image"
_KNOWN = "steps-"  # begins the tag of what the leading steps of an image made, beside it
_SHARED = "dayfly/tools"  # a base with the tools of the build, the same for all apps
AskSecrets = Callable[[str, Sequence[str]], Mapping[str, str]]


def no_secrets(_app: str, _names: Sequence[str]) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, kw_only=True)
class ContainerBuilder:
    """Builds images labelled with the `environment`'s id; `folder` is for what docker reads."""

    folder: Path
    cache: Path
    environment: str
    inherited: Mapping[str, str]  # what builds may see of our environment
    secrets: AskSecrets = no_secrets  # of an app, those of these names
    _at_work: AtWork = field(default_factory=AtWork)

    def key(self, app: App, source: Path) -> str:
        made_of = app.build.dockerfile or app.build.base or BASE
        env = (f"{name}={value}" for name, value in sorted(app.env.items()))
        recipe = () if app.image == ImageRecipe() else (json.dumps(asdict(app.image)), "")
        told = self._told(app)
        secrets = (salted(told, salt_of(self.folder)),) if told else ()
        parts = (made_of, *recipe, *app.build.steps, "", *env, "", of_source(source), *secrets)
        return key_of("docker", *parts)

    def build(self, app: App, commit: str, source: Path, *, on_line: OnLine, stop: Stop) -> Image:
        started = time.monotonic()
        key = self.key(app, source)
        if found := self._built(app.app, key):
            return found
        self.folder.mkdir(parents=True, exist_ok=True)
        builders = Builders(
            inherited=self.inherited,
            env={},
            home=self.cache,
            uid=USER if os.geteuid() == 0 else None,
            on_line=on_line,
            stop=stop,
            ends=started + app.build.deadline,
        )
        labels = self._filters({"app": app.app, "commit": commit, "key": key})
        with (
            disk_errors_told(self.folder),
            self._at_work.on(app.app),
            self._context(app, source, labels, builders) as (own, ground),
        ):
            name = self._name(app.app)
            build(
                own,
                f"{name}:{key}",
                builders,
                Known(f"{name}:{_KNOWN}{key}", f"{name}:{LAYER}{key}"),
            )
        image = self._built(app.app, key)
        if image is None:
            raise BuildError(f"the image of {app.app} is gone, just after it was built")
        self._require_locked(image, ground.lock, on_line)
        return replace(image, seconds=time.monotonic() - started)

    def _require_locked(self, image: Image, lock: Lock, on_line: OnLine) -> None:
        """BuildError, and no image, where a version could not be had again."""
        if not lock.text:
            return
        made = self.contents(image)
        if others := unlocked(lock, Lock(apt=made.apt, pip=made.pip)):
            self.remove(image)
            hint = "Where a version is gone for good, leave it out of the lock, or make a new lock."
            raise BuildError(f"not what the lock says: {'; '.join(others)}", hint=hint)
        for line in beside(lock, made.lock):
            on_line(line)

    def images(self) -> tuple[Image, ...]:
        """The complete ones, newest first."""
        return self._labelled({})

    def find(self, app_name: str, commit: str) -> Image | None:
        return next(iter(self._labelled({"app": app_name, "commit": commit})), None)

    def contents(self, image: Image) -> Contents:
        return kept(self._kept(image), lambda: self.read(image))

    def read(self, image: Image) -> Contents:
        return contents_of_image(image.reference)

    def files(self, image: Image, named: Callable[[str], bool], into: Path) -> Path:
        with disk_errors_told(into):
            files_of_image(image.reference, named, into)
        return into

    def configuration(self, image: Image) -> Mapping[str, str]:
        return configuration_of(image.reference)

    def layers(self, image: Image) -> tuple[LayerTold, ...]:
        return layers_of_image(image.reference)

    def remove(self, image: Image) -> None:
        """Remove an image, and the layers that no other image of the app was made of."""
        name = self._name(image.app)
        if has := there([f"{name}:{image.key}", f"{name}:{_KNOWN}{image.key}"]):
            docker("image", "rm", *has)
        self._kept(image).unlink(missing_ok=True)
        with self._at_work.nobody_on(image.app) as free:
            if free:
                left = labelled(self._filters({"app": image.app}))
                remove_layers(name, {layer for about in left for layer in layers_of(about)})

    def sweep(self) -> None:
        """Docker ends what a `docker build` does with it, and we what speaks to a container."""
        end_told(tag_told(self._name("")))
        named = f"--filter=name=^/?{self._container('')}"
        with suppress(BuildError):  # without its engine nothing is at work
            if left := docker("container", "ls", "--all", "--quiet", named).split():
                docker("rm", "--force", "--volumes", *left)

    def clear(self) -> None:
        for image in self.images():
            self.remove(image)
        remove_layers(self._name("*"), set())

    def _kept(self, image: Image) -> Path:
        return self.folder / image.app / f"{image.key}.contents"

    def _name(self, app: str) -> str:
        return f"dayfly-{self.environment}/{app}"

    def _container(self, app_name: str) -> str:
        """In which its image steps are done."""
        return f"dayfly-build-{self.environment}-{app_name}"

    def _built(self, app_name: str, key: str) -> Image | None:
        """Docker gives a name to what it has built whole."""
        about = described(f"{self._name(app_name)}:{key}")
        return _image(about) if about else None

    def _labelled(self, labels: Mapping[str, str]) -> tuple[Image, ...]:
        """Labels docker may write one after the other, before an image is whole and has a name."""
        found = labelled(self._filters(labels))
        return tuple(_image(about) for about in found if about["RepoTags"])

    def _filters(self, labels: Mapping[str, str]) -> dict[str, str]:
        wanted = {"environment": self.environment, **labels}
        return {f"{_LABEL}.{name}": wanted[name] for name in wanted}

    @contextmanager
    def _context(
        self, app: App, source: Path, labels: Mapping[str, str], builders: Builders
    ) -> Iterator[tuple[Context, Ground]]:
        if app.build.dockerfile:
            yield own_context(app.build.dockerfile, source, self.inherited, labels), Ground()
            return
        ground = self._ground(app, source, builders)
        labels = {**labels, f"{_LABEL}.layers": " ".join(ground.layers)}
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".context-") as place:
            made = context_of_steps(app, source, ground, self.inherited, Path(place), labels)
            yield made, ground

    def _told(self, app: App) -> Mapping[str, str]:
        """The secrets that image steps get."""
        return self.secrets(app.app, app.image.told) if app.image.told else {}

    def _ground(self, app: App, source: Path, builders: Builders) -> Ground:
        recipe = app.image
        if recipe == ImageRecipe() and app.build.base:
            return Ground(base=app.build.base)
        named = recipe.base or app.build.base
        base = base_of(named, source, self.folder, builders.on_line, builders.stop)
        lock = lock_of(source / recipe.lock, recipe.lock) if recipe.lock else Lock()
        provisioning = Provisioning(
            name=self._name(app.app),
            container=self._container(app.app),
            source=source,
            builders=builders,
            secrets=self._told(app),
            salt=salt_of(self.folder),
            lock=lock,
        )
        layers = provisioning.layers(base, recipe.provision)
        top = layers[-1] if layers else base.name
        tools = tuple(dict.fromkeys((*base.tools, *recipe.tools))) if app.build.steps else ()
        if not tools:
            return Ground(base=top, layers=layers, starts=base.starts if layers else (), lock=lock)
        # No lock holds for tools: Debian ties some to the newest of what the lock has an older one.
        equipping = replace(provisioning, lock=Lock())
        if shared := not (layers or recipe.tools):
            equipping = replace(equipping, name=f"{_SHARED}-{base.name.split(':')[-1]}")
        equipped = equipping.equipped(base, layers, tools, alone=shared)
        return Ground(
            base=equipped, below=top, layers=(*layers, equipped), starts=base.starts, lock=lock
        )


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


def layers_of(about: Mapping[str, Any]) -> tuple[str, ...]:
    """The layers that an image was made of, as docker tells of it."""
    return tuple(about["Config"]["Labels"].get(f"{_LABEL}.layers", "").split())
