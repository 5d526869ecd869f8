"""What [image] may not say."""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from dayfly.config.app import App
from dayfly.config.image import ANSIBLE, CHEF, KINDS, PUPPET, ImageRecipe, Provision, is_archive
from dayfly.config.names import secret_problem
from dayfly.config.paths import inside_problem
from dayfly.config.problem import KeyPath, Problem
from dayfly.config.read import shown

_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+(:[a-z0-9]+)?(=[A-Za-z0-9.+:~-]+)?")
_GROUP = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RECIPE = re.compile(r"[A-Za-z0-9_-]+(::[A-Za-z0-9_-]+)?")
_PASSING = ("/dev", "/proc", "/run", "/sys", "/tmp")  # noqa: S108 - of the image, and refused
# What says how a step is done, and of which kinds.
_OF = {
    "groups": (ANSIBLE,),
    "vault": (ANSIBLE,),
    "recipes": (CHEF,),
    "secrets": (ANSIBLE, PUPPET, CHEF, "shell"),
    "second_run": (ANSIBLE, PUPPET, CHEF),
}


def image_problems(app: App) -> Iterator[Problem]:
    image = app.image
    if app.build.dockerfile is not None and image != ImageRecipe():
        says = "there is [build] dockerfile, which makes the whole image; use one of the two"
        yield Problem(("image",), says)
    if image.base is not None and app.build.base is not None:
        yield Problem(("image", "base"), "there is [build] base too; keep one of them")
    if image.base and is_archive(image.base) and (says := inside_problem(image.base) or ""):
        yield Problem(("image", "base"), says)
    if image.tools and not app.build.steps:
        none = "are for `steps` of [build], and there are none"
        yield Problem(("image", "tools"), none, (("build", "steps"),))
    if image.lock is not None and (says := inside_problem(image.lock) or ""):
        yield Problem(("image", "lock"), says)
    yield from _packages(("image", "tools"), image.tools)
    for place, step in enumerate(image.provision):
        yield from _step(app, ("image", "provision", place), step)


def needs_a_root_of_its_own(app: App, environment: str) -> Iterator[Problem]:
    """Why machines that are processes of the host can't have this image."""
    says = (
        f"needs the docker runtime: {environment} runs processes, which have no root file system"
        " of their own; use `steps` of [build], which fill the app's folder and its virtual"
        ' environment, or set runtime = "docker" in environment.toml'
    )
    image = app.image
    for key, value in (("base", image.base), ("tools", image.tools), ("lock", image.lock)):
        if value:
            yield Problem(("image", key), says)
    for place, step in enumerate(image.provision):
        yield Problem(("image", "provision", place, step.kind), says)


def _step(app: App, at: KeyPath, step: Provision) -> Iterator[Problem]:
    if len(step.kinds) != 1:
        found = f"found {' and '.join(step.kinds)}" if step.kinds else "found none"
        yield Problem(at, f"{found}; a step has exactly one of {', '.join(KINDS)}")
        return
    for option, kinds in _OF.items():
        if getattr(step, option) != getattr(Provision(), option) and step.kind not in kinds:
            yield Problem((*at, option), f"is for {' and '.join(kinds)}, this is {step.kind}")
    yield from _packages((*at, "packages"), step.packages)
    yield from _files((*at, "files"), step.files)
    yield from _provisioner(at, step)
    yield from _secrets(app, at, step)


def _packages(at: KeyPath, packages: Iterable[str]) -> Iterator[Problem]:
    for place, name in enumerate(packages):
        if not _PACKAGE.fullmatch(name):
            says = f"found {shown(name)}, allowed is a package of Debian: nginx, nginx=1.22.1-9"
            yield Problem((*at, place), says)


def _files(at: KeyPath, files: dict[str, str]) -> Iterator[Problem]:
    for origin, target in files.items():
        if says := inside_problem(origin):
            yield Problem((*at, origin), says)
        path = PurePosixPath(target)
        if not path.is_absolute() or ".." in path.parts or len(path.parts) < 2:  # noqa: PLR2004
            yield Problem((*at, origin), f"found {shown(target)}, allowed is a path below /")
        elif any(path.is_relative_to(folder) for folder in _PASSING):
            says = f"found {shown(target)}; an image keeps nothing below {', '.join(_PASSING)}"
            yield Problem((*at, origin), says)


def _provisioner(at: KeyPath, step: Provision) -> Iterator[Problem]:
    for kind in (ANSIBLE, PUPPET, CHEF):
        path = getattr(step, kind)
        if path is not None and (says := inside_problem(path)):
            yield Problem((*at, kind), says)
    if step.ansible is not None and PurePosixPath(step.ansible).suffix not in {".yml", ".yaml"}:
        says = f"found {shown(step.ansible)}, allowed is a playbook: a file that ends in .yml"
        yield Problem((*at, ANSIBLE), says)
    for place, name in enumerate(step.groups):
        if not _GROUP.fullmatch(name):
            says = f"found {shown(name)}, allowed are letters, 0 to 9 and _, no digit first"
            yield Problem((*at, "groups", place), says)
    for place, name in enumerate(step.recipes):
        if not _RECIPE.fullmatch(name):
            says = f"found {shown(name)}, allowed is a cookbook or COOKBOOK::RECIPE"
            yield Problem((*at, "recipes", place), says)


def _secrets(app: App, at: KeyPath, step: Provision) -> Iterator[Problem]:
    """They are the build's own: no machine of the app gets them."""
    for name in step.told:
        key = "vault" if name == step.vault else "secrets"
        if says := secret_problem(name):
            yield Problem((*at, key), says)
        if name in app.secrets:
            says = f"{name} is in `secrets` of the app too, so that every machine would have it"
            yield Problem((*at, key), says)
