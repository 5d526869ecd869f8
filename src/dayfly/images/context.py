"""What docker's builder is given: an app's own Dockerfile, or one made of its steps."""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from dayfly.config.app import App
from dayfly.images.builder import BuildError
from dayfly.images.dockerfile import (
    OWN,
    PROXY,
    SEALED,
    Instruction,
    arguments_of,
    ca_bundle_of,
    instructions_of,
    labels_of,
    without_credentials,
)
from dayfly.images.lock import CONSTRAINTS, Lock
from dayfly.images.shellwords import exports
from dayfly.images.steps import known_inputs
from dayfly.images.workplace import copied, remove

_SCRIPTS = Path(__file__).with_name("scripts")
_LOCK = f"{OWN}/lock"
_ARG = re.compile(r"^\s*ARG\s+(\w+)", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What the steps of an app stand on."""

    base: str = ""  # an image in which they run
    below: str | None = None  # the image that gets what they made; the same where they are one
    layers: tuple[str, ...] = ()  # names of all that was made for it
    starts: tuple[str, ...] = ()  # instructions: what the base starts, which no layer knows
    lock: Lock = field(default_factory=Lock)


@dataclass(frozen=True, kw_only=True)
class Context:
    """What `docker build` is given."""

    folder: Path
    dockerfile: Path
    arguments: Mapping[str, str]
    instructions: Sequence[Instruction]  # none of an app's own Dockerfile
    labels: Mapping[str, str] = field(default_factory=dict)  # that no instruction gives


def own_context(
    dockerfile: str, source: Path, inherited: Mapping[str, str], labels: Mapping[str, str]
) -> Context:
    path = PurePosixPath(dockerfile)
    if path.is_absolute() or ".." in path.parts or not (source / path).is_file():
        raise BuildError(
            f"the source has no file {dockerfile}",
            hint="dockerfile under [build] names a file of the repository.",
        )
    declared = _ARG.findall((source / path).read_text(errors="replace"))
    known = arguments_of(inherited, {})
    passed = {name: known[name] for name in known if name in declared or PROXY.fullmatch(name)}
    return Context(
        folder=source,
        dockerfile=source / path,
        arguments=passed,
        instructions=(),
        labels=labels,
    )


def context_of_steps(
    app: App,
    source: Path,
    ground: Ground,
    inherited: Mapping[str, str],
    place: Path,
    labels: Mapping[str, str],
) -> Context:
    """The source lies in `app/`, so that neither a Dockerfile nor a .dockerignore of it counts."""
    known = known_inputs(app.build.steps, source)
    arguments = arguments_of(inherited, app.env)
    if ground.lock.pip:
        arguments["PIP_CONSTRAINT"] = f"{_LOCK}/{CONSTRAINTS}"
        arguments["PYTHONPATH"] = ":".join(filter(None, (_LOCK, arguments.get("PYTHONPATH"))))
    if app.build.steps:
        _furnish(place / "own", ground.lock, ca_bundle_of(inherited))
    arguments = _sealed(arguments, app.env)
    instructions = instructions_of(
        (ground.base, ground.below) if ground.below else (ground.base,),
        app.build.steps,
        known,
        arguments=tuple(arguments),
        starts=ground.starts,
    )
    instructions = (*instructions, labels_of(labels))
    copied(source, place / "app", linked=source.stat().st_dev == place.stat().st_dev)
    if len(known) == len(app.build.steps):
        remove(place / "app" / ".git")  # only steps that see the source may ask it
    dockerfile = place / "Dockerfile"
    dockerfile.write_text("".join(f"{instruction.text}\n" for instruction in instructions))
    return Context(
        folder=place,
        dockerfile=dockerfile,
        arguments=arguments,
        instructions=instructions,
    )


def _furnish(own: Path, lock: Lock, ca_bundle: Path | None) -> None:
    """With what is there before the steps and gone after them."""
    shutil.copytree(_SCRIPTS, own)
    if lock.pip:
        lock.write(own / "lock")
    if ca_bundle:
        (own / "ca.crt").write_bytes(ca_bundle.read_bytes())


def _sealed(arguments: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    """Arguments of which all but the proxies may be read by anybody; the rest is in SEALED.

    What dayfly.toml says in `env` may be read anyway.
    """
    plain = {**without_credentials(arguments), **env}
    own = arguments.get(SEALED)
    hidden = exports({name: arguments[name] for name in plain if plain[name] != arguments[name]})
    if not hidden and own is None:
        return plain
    after = f"unset {SEALED}\n" if own is None else exports({SEALED: own})
    return {**plain, SEALED: hidden + after}
