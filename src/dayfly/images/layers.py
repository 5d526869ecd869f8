"""Snapshots after leading build steps, so that an unchanged step does not run again.

A virtual environment names its own folder in scripts and settings, so it can't be moved. But
images and layers lie side by side under names of one length: in a copy the old folder's name is
replaced by the new one's, which changes no offset, not even in a binary.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dayfly.images.fingerprint import KEY_LETTERS, key_of, of_paths
from dayfly.images.interpreter import Interpreter
from dayfly.images.workplace import Builders, Workplace, copied, given, opened, remove, sealed

MARK = "layer.json"  # written last: a layer without it is half-built
_PREFIX = "layer-"


@dataclass(frozen=True)
class Layer:
    tree: Path
    naming: tuple[str, ...]  # the files (and links) that name the tree's own folder


@dataclass(frozen=True)
class Step:
    command: str
    inputs: tuple[str, ...]  # the files of the source that it reads
    title: str


def layered(
    folder: Path, source: Path, steps: Sequence[Step], python: Interpreter, builders: Builders
) -> tuple[Layer, ...]:
    """The layers of `steps` in `folder`, each on the one before; only missing ones are made."""
    layers = [_base(folder, python, builders)]
    for step in steps:
        layers.append(_next(folder, layers[-1], source, step, builders))
    return tuple(layers)


def unfold(layer: Layer, to: Path, builders: Builders, *, linked: bool) -> Workplace:
    """A copy of a layer at `to`, ready to be worked in.

    `linked` shares its files: right only when nothing will write into one that exists.
    """
    copied(layer.tree, to, linked=linked)
    (to / MARK).unlink()
    opened(to, builders.uid, linked=linked)
    for name in layer.naming:
        _rename_inside(to / name, str(layer.tree), str(to))
    to.chmod(0o755)
    return Workplace(to, builders)


def read(tree: Path) -> Layer | None:
    try:
        naming = json.loads((tree / MARK).read_text())["naming"]
    except FileNotFoundError:
        return None
    return Layer(tree, tuple(naming))


def _base(folder: Path, python: Interpreter, builders: Builders) -> Layer:
    """An empty app and a new virtual environment."""
    tree = _place(folder, key_of("venv", python.about, str(python.program)))
    found = read(tree)
    if found:
        return found
    work = Workplace(tree, builders)
    try:
        tree.mkdir()
        given(work.app, builders.uid)
        given(work.venv, builders.uid)
        title = "making the virtual environment"
        builders.on_line(f"{title}: {python.program}")
        work.run(str(python.program), "-m", "venv", str(work.venv), title=title)
        return _finished(work)
    except BaseException:
        remove(tree)
        raise


def _next(folder: Path, below: Layer, source: Path, step: Step, builders: Builders) -> Layer:
    settings = (f"{name}={value}" for name, value in sorted(builders.env.items()))
    inputs = of_paths(source, step.inputs)
    tree = _place(folder, key_of(below.tree.name, step.command, inputs, *settings))
    found = read(tree)
    if found:
        builders.on_line(f"{step.title} is unchanged: {step.command}")
        return found
    try:
        work = unfold(below, tree, builders, linked=False)
        for name in step.inputs:
            _put(source / name, work.app, name, builders.uid)
        work.step(step.command, step.title)
        return _finished(work)
    except BaseException:
        remove(tree)
        raise


def _place(folder: Path, key: str) -> Path:
    return folder / (_PREFIX + key)[:KEY_LETTERS]


def _put(file: Path, app: Path, name: str, uid: int | None) -> None:
    for above in reversed((Path(name)).parents[:-1]):
        given(app / above, uid)
    target = app / name
    target.write_bytes(file.read_bytes())
    if uid is not None:
        os.chown(target, uid, uid)


def _finished(work: Workplace) -> Layer:
    sealed(work.tree, work.builders.uid)
    naming = tuple(_naming(work.tree))
    (work.tree / MARK).write_text(json.dumps({"naming": naming}))
    return Layer(work.tree, naming)


def _naming(tree: Path) -> Iterator[str]:
    sought = os.fsencode(tree)
    for folder, folders, files in os.walk(tree):
        for name in [*files, *folders]:
            path = Path(folder, name)
            if path.is_symlink():
                named = sought in os.fsencode(path.readlink())
            else:
                # A .pyc names its source in tracebacks only, and Python corrects that on import.
                named = path.is_file() and path.suffix != ".pyc" and sought in path.read_bytes()
            if named:
                yield str(path.relative_to(tree))


def _rename_inside(path: Path, old: str, new: str) -> None:
    """Put a changed copy in the place of the file: the layer may share it. Times stay."""
    if len(old) != len(new):
        raise ValueError(f"{new} is not as long as {old}")
    status = path.lstat()
    if path.is_symlink():
        target = str(path.readlink()).replace(old, new)
        path.unlink()
        path.symlink_to(target)
    else:
        content = path.read_bytes().replace(os.fsencode(old), os.fsencode(new))
        path.unlink()
        path.write_bytes(content)
        path.chmod(status.st_mode & 0o777)
    times = (status.st_atime_ns, status.st_mtime_ns)
    os.utime(path, ns=times, follow_symlinks=False)
    os.chown(path, status.st_uid, status.st_gid, follow_symlinks=False)
