"""Which files of the source a step of an image sees: no others can matter to it."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from dayfly.config.image import ANSIBLE, CHEF, PUPPET, ImageRecipe, Provision, is_archive
from dayfly.config.problem import Problem

# At the top of a repository lies everything else, too: there only what belongs to the tool.
_AT_THE_TOP = {
    ANSIBLE: frozenset({
        "ansible.cfg", "collections", "filter_plugins", "files", "group_vars", "handlers",
        "host_vars", "library", "lookup_plugins", "module_utils", "playbooks", "roles", "tasks",
        "templates", "vars",
    }),
    PUPPET: frozenset({
        "data", "hiera.yaml", "hieradata", "manifests", "modules", "site-modules",
    }),
    CHEF: frozenset({
        "cookbooks", "data_bags", "environments", "node.json", "roles", "site-cookbooks",
    }),
}  # fmt: skip
_SUFFIXES = {ANSIBLE: {".yml", ".yaml"}, PUPPET: {".pp"}, CHEF: set[str]()}


def inputs_of(step: Provision, paths: Iterable[str]) -> tuple[str, ...]:
    """Of the source's `paths` those that the step sees."""
    if step.kind in _AT_THE_TOP:
        folder = PurePosixPath(getattr(step, step.kind)).parent
        seen = [path for path in paths if PurePosixPath(path).is_relative_to(folder)]
        if not folder.parts:
            seen = [path for path in seen if _belongs(PurePosixPath(path), step.kind)]
        return tuple(sorted(seen))
    named = [PurePosixPath(name) for name in step.files]
    below = (p for p in paths if any(PurePosixPath(p).is_relative_to(name) for name in named))
    return tuple(sorted(below))


def _belongs(path: PurePosixPath, kind: str) -> bool:
    at_the_top = len(path.parts) == 1 and path.suffix in _SUFFIXES[kind]
    return at_the_top or path.parts[0] in _AT_THE_TOP[kind]


def missing(recipe: ImageRecipe, source: Path) -> list[Problem]:
    """What [image] names and this source has not; paths are those of dayfly.toml."""
    return list(_missing(recipe, source))


def _missing(recipe: ImageRecipe, source: Path) -> Iterator[Problem]:
    if recipe.base and is_archive(recipe.base) and not _is_in(source, recipe.base):
        yield Problem(("image", "base"), f"the commit has no file {recipe.base}")
    if recipe.lock and not _is_in(source, recipe.lock):
        yield Problem(("image", "lock"), f"the commit has no file {recipe.lock}")
    for place, step in enumerate(recipe.provision):
        at = ("image", "provision", place, step.kind)
        for name in _named(step):
            if not _is_in(source, name):
                yield Problem(at, f"the commit has no {name}")
        for link, target in links_out(step, source):
            says = f"{link} is a link to {target}, which leads out of what the step copies"
            yield Problem(at, says)


def _named(step: Provision) -> Sequence[str]:
    return (*step.files, *(path for path in (step.ansible, step.puppet, step.chef) if path))


def links_out(step: Provision, source: Path) -> Iterator[tuple[str, str]]:
    """Links below `files`, and what each says, that would lead elsewhere in the image.

    Links are copied as such: to a neighbour of the same folder, or to a path of the image itself.
    """
    for top in (source / name for name in step.files if _is_in(source, name)):
        way = [path for path in (top, *top.parents) if path.is_relative_to(source)]
        own = [path for path in way if path.is_symlink()]
        below = () if own else (path for path in top.rglob("*") if path.is_symlink())
        out = [*own, *(path for path in below if not _stays(path, top))]
        yield from ((str(link.relative_to(source)), str(link.readlink())) for link in sorted(out))


def _stays(link: Path, top: Path) -> bool:
    target = link.readlink()
    inside = PurePosixPath(os.path.normpath(link.parent.relative_to(top) / target))
    return target.is_absolute() or ".." not in inside.parts


def _is_in(source: Path, name: str) -> bool:
    """Not through a link that leads out of it."""
    path = source / name
    return path.exists() and path.resolve().is_relative_to(source.resolve())
