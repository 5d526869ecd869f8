"""From a base to what an app is built on: each step a layer, known again by what it was made of."""

import json
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from dayfly.config.image import ANSIBLE, CHEF, PUPPET, Provision
from dayfly.images.bases import Base
from dayfly.images.engine import docker, there
from dayfly.images.fingerprint import KEY_LETTERS, key_of, of_paths, paths_of
from dayfly.images.lock import CONSTRAINTS, Lock
from dayfly.images.provision import ansible, chef, puppet
from dayfly.images.provision.inputs import inputs_of
from dayfly.images.provision.scaffold import INSIDE, Scaffold, scaffold
from dayfly.images.salt import salted
from dayfly.images.workplace import Builders

LAYER = "layer-"  # begins the tags of layers, whose keys are no images
INSTALL = "apt-get -qq update; apt-get -qq install -y --no-install-recommends -o Dpkg::Use-Pty=0 --"


@dataclass(frozen=True, kw_only=True)
class _Layer:
    name: str
    below: str  # the layer or base that it is made on
    step: Provision
    inputs: Sequence[str]
    title: str


@dataclass(frozen=True, kw_only=True)
class Provisioning:
    """The steps of one image."""

    name: str  # of the app's images, without a tag
    container: str  # in which steps are done, one after the other
    source: Path
    builders: Builders
    secrets: Mapping[str, str]
    salt: bytes
    lock: Lock

    def layers(self, base: Base, steps: Sequence[Provision]) -> tuple[str, ...]:
        """Their names, each made on the one before; only missing ones are made."""
        layers = tuple(self._wanted(base, steps))
        has = there([layer.name for layer in layers]) if layers else ()
        for layer in layers:
            if layer.name in has:
                self.builders.on_line(f"{layer.title} is unchanged")
            else:
                self._make(layer)
        return tuple(layer.name for layer in layers)

    def equipped(
        self, base: Base, layers: Sequence[str], packages: Sequence[str], *, alone: bool
    ) -> str:
        """The name of what is above these layers of the base: with packages for the build alone.

        `alone` says that no other one of the name is wanted any more.
        """
        below, lower = (layers[-1], layers[-1]) if layers else (base.name, base.id)
        step = Provision(packages=tuple(packages))
        title = f"image step for the build alone, {step.about!r}"
        layer = self._layer(below, lower, step, (), title)
        if layer.name not in there([layer.name]):
            self._make(layer)
            if alone:
                remove_layers(self.name, {layer.name})
        return layer.name

    def _wanted(self, base: Base, steps: Sequence[Provision]) -> Iterator[_Layer]:
        below, lower, paths = base.name, base.id, paths_of(self.source)
        for number, step in enumerate(steps, start=1):
            inputs = inputs_of(step, paths)
            title = f"image step {number} of {len(steps)}, {step.about!r}"
            layer = self._layer(below, lower, step, inputs, title)
            yield layer
            below = lower = layer.name

    def _layer(
        self, below: str, lower: str, step: Provision, inputs: Sequence[str], title: str
    ) -> _Layer:
        name = f"{self.name}:{LAYER}{self._key(lower, step, inputs)}"
        return _Layer(name=name, below=below, step=step, inputs=inputs, title=title)

    def _key(self, lower: str, step: Provision, inputs: Sequence[str]) -> str:
        parts = [lower, json.dumps(asdict(step)), of_paths(self.source, inputs), self.lock.text]
        if step.told:
            parts.append(salted(self._told(step), self.salt))
        return key_of("layer", *parts)[: KEY_LETTERS - len(LAYER)]

    def _make(self, layer: _Layer) -> None:
        self.builders.on_line(layer.title)
        with (
            _staged(self.source, layer.inputs) as staged,
            tempfile.TemporaryDirectory(prefix="dayfly-told-") as told,
            scaffold(
                layer.below,
                self.container,
                furnished(Path(told), self.lock),
                told_versions(self.builders, self.lock),
            ) as made,
        ):
            self._do(layer.step, staged, made, layer.title)
            made.keep(layer.name, layer.step.about)

    def _told(self, step: Provision) -> dict[str, str]:
        return {name: self.secrets[name] for name in step.told}

    def _do(self, step: Provision, staged: Path, made: Scaffold, title: str) -> None:
        secrets = self._told(step)
        if command := _command_of(step):
            made.only(command, title=title, secrets=secrets)
            return
        made.start()
        match step.kind:
            case "files":
                for origin, target in step.files.items():
                    made.put(staged / origin, target)
            case kind if kind == ANSIBLE:
                ansible.play(step, staged, made, title, secrets)
            case kind if kind == PUPPET:
                puppet.apply(step, staged, made, title, secrets)
            case kind if kind == CHEF:
                chef.converge(step, staged, made, title, secrets)
        made.tidy()


def remove_layers(name: str, used: Collection[str]) -> None:
    """Those of images of this name, which may be a pattern, but the ones in use."""
    words = ("--format={{.Repository}}:{{.Tag}}", f"--filter=reference={name}:{LAYER}*")
    tags = docker("image", "ls", *words).split()
    if unused := [tag for tag in tags if tag not in used]:
        docker("image", "rm", *unused)


def _command_of(step: Provision) -> str | None:
    """Of steps that are one command."""
    if step.kind == "packages":
        return f"{INSTALL} {' '.join(step.packages)}"
    return step.shell


@contextmanager
def _staged(source: Path, inputs: Sequence[str]) -> Iterator[Path]:
    """A folder that has these files of the source, and nothing else."""
    with tempfile.TemporaryDirectory(prefix="dayfly-inputs-") as name:
        for path in inputs:
            target = Path(name, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / path, target, follow_symlinks=False)
        yield Path(name)


def told_versions(builders: Builders, lock: Lock) -> Builders:
    """Who builds, told of what `furnished` puts there."""
    if not lock.text:
        return builders
    pip = {"PIP_CONSTRAINT": f"pip/{CONSTRAINTS}", "PYTHONPATH": "pip"} if lock.pip else {}
    locked = {"APT_CONFIG": "apt.conf", **pip}
    env = {name: f"{INSIDE}/{file}" for name, file in locked.items()}
    return replace(builders, env={**builders.env, **env})


def furnished(told: Path, lock: Lock) -> Path:
    """What every container of the build sees: which versions to take."""
    told.chmod(0o755)  # apt looks as a user of its own
    (told / "apt.conf").write_text(f'Dir::Etc::Preferences "{INSIDE}/preferences";\n')
    (told / "preferences").write_text(lock.preferences)
    lock.write(told / "pip")
    return told
