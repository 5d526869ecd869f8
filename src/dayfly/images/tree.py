"""Images of the process runtime: immutable trees, named by what they were made of."""

import json
import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dayfly.clock import Stop
from dayfly.config.app import App
from dayfly.durable import write_atomically
from dayfly.images import layers
from dayfly.images.builder import BuildError, OnLine, disk_errors_told
from dayfly.images.contents import Contents, kept, of_tree
from dayfly.images.fingerprint import key_of, of_source
from dayfly.images.image import Image, LayerTold
from dayfly.images.interpreter import chosen
from dayfly.images.layers import Layer, Step, layered, unfold
from dayfly.images.steps import known_inputs
from dayfly.images.workplace import (
    Builders,
    Workplace,
    abandoned,
    given,
    remove,
    sealed,
    source_put,
)

MARK = "image.json"  # written last: an image without it is half-built
OUTPUT = "output.log"


@dataclass(frozen=True, kw_only=True)
class TreeBuilder:
    """Builds `folder/APP/KEY` with `app/` (the source, and what steps made) and `venv/`.

    `uid` tells the user that an app's machines run as, which then builds, too; without it we do.
    """

    folder: Path
    cache: Path
    inherited: Mapping[str, str]  # what builds may see of our environment
    uid: Callable[[str], int] | None = None

    def key(self, app: App, source: Path) -> str:
        python = chosen(self.inherited, self._uid(app))
        env = (f"{name}={value}" for name, value in sorted(app.env.items()))
        made_with = (python.about, str(python.program))
        return key_of("tree", *made_with, *app.build.steps, "", *env, "", of_source(source))

    def build(self, app: App, commit: str, source: Path, *, on_line: OnLine, stop: Stop) -> Image:
        started = time.monotonic()
        _refuse_docker(app)
        with disk_errors_told(self.folder):
            tree = self.folder / app.app / self.key(app, source)
            found = _read(tree)
            if found:
                return found
            _sweep(tree.parent)
            with _recorded(tree.parent, on_line) as record:
                used = self._make(app, source, tree, self._builders(app, record, stop))
            (tree.parent / OUTPUT).rename(tree / OUTPUT)
            image = Image(
                key=tree.name,
                app=app.app,
                commit=commit,
                runtime="process",
                reference=str(tree),
                size=_size(tree),
                seconds=time.monotonic() - started,
            )
            _write(image, used)
        return image

    def images(self) -> tuple[Image, ...]:
        """The complete ones, newest first."""
        marks = sorted(
            self.folder.glob(f"*/*/{MARK}"), key=lambda mark: mark.stat().st_mtime, reverse=True
        )
        return tuple(image for mark in marks if (image := _read(mark.parent)))

    def find(self, app_name: str, commit: str) -> Image | None:
        found = (
            image for image in self.images() if (image.app, image.commit) == (app_name, commit)
        )
        return next(found, None)

    def contents(self, image: Image) -> Contents:
        return kept(self._kept(image), lambda: self.read(image))

    def read(self, image: Image) -> Contents:
        return contents_of(image.tree / "app", image)

    def files(
        self,
        image: Image,
        named: Callable[[str], bool],  # noqa: ARG002 - all of them lie there already
        into: Path,  # noqa: ARG002
    ) -> Path:
        return image.tree / "app"

    def configuration(self, image: Image) -> Mapping[str, str]:
        """The virtual environment's own."""
        lines = (image.tree / "venv/pyvenv.cfg").read_text().splitlines()
        pairs = (line.partition(" = ") for line in lines)
        return {name: value.replace(image.reference, "/image") for name, _, value in pairs if value}

    def layers(self, image: Image) -> tuple[LayerTold, ...]:
        """One after each leading step; what follows them is in the image alone."""
        names = json.loads((image.tree / MARK).read_text())["layers"]
        trees = (image.tree.parent / name for name in names)
        return tuple(LayerTold(about=tree.name, size=_size(tree)) for tree in trees)

    def sweep(self) -> None:
        for folder in self.folder.glob("*/"):
            _sweep(folder)

    def clear(self) -> None:
        for image in self.images():
            self.remove(image)

    def remove(self, image: Image) -> None:
        """Remove an image, and the layers that no image that is left was made of."""
        tree = self.folder / image.app / image.key
        (tree / MARK).unlink(missing_ok=True)
        self._kept(image).unlink(missing_ok=True)
        remove(tree)
        marks = [json.loads(mark.read_text()) for mark in tree.parent.glob(f"*/{MARK}")]
        used = {name for mark in marks for name in mark["layers"]}
        for layer in tree.parent.glob(f"*/{layers.MARK}"):
            if layer.parent.name not in used:
                layer.unlink()
                remove(layer.parent)

    def _kept(self, image: Image) -> Path:
        return self.folder / image.app / f"{image.key}.contents"

    def _make(self, app: App, source: Path, tree: Path, builders: Builders) -> tuple[Layer, ...]:
        steps = _numbered(app)
        known = known_inputs(app.build.steps, source)
        leading = [
            Step(command, inputs, title)
            for (command, title), inputs in zip(steps, known, strict=False)
        ]
        rest = steps[len(known) :]
        python = chosen(self.inherited, builders.uid)
        used = layered(tree.parent, source, leading, python, builders)
        try:
            work = unfold(used[-1], tree, builders, linked=not rest)
            source_put(source, work.app, builders.uid, git=bool(rest))
            for command, title in rest:
                work.step(command, title)
            remove(work.app / ".git")
            _compile(work)
            sealed(tree, builders.uid)
        except BaseException:
            remove(tree)
            raise
        return used

    def _builders(self, app: App, on_line: OnLine, stop: Stop) -> Builders:
        uid = self._uid(app)
        self.cache.mkdir(parents=True, exist_ok=True)
        return Builders(
            inherited=self.inherited,
            env=app.env,
            home=given(self.cache / app.app, uid),
            uid=uid,
            on_line=on_line,
            stop=stop,
            ends=time.monotonic() + app.build.deadline,
        )

    def _uid(self, app: App) -> int | None:
        return self.uid(app.app) if self.uid else None


def contents_of(app: Path, image: Image) -> Contents:
    """An app's folder with the virtual environment of its image."""
    return of_tree({"app": app, "venv": image.tree / "venv"}, image.tree)


def _size(tree: Path) -> int:
    return sum(path.lstat().st_size for path in tree.rglob("*"))


def _refuse_docker(app: App) -> None:
    if app.build.dockerfile:
        raise BuildError(
            f"{app.app} is built from {app.build.dockerfile}, which the process runtime cannot do",
            hint='Set runtime = "docker" in environment.toml, or steps instead of dockerfile.',
        )


def _numbered(app: App) -> list[tuple[str, str]]:
    steps = app.build.steps
    return [(step, f"build step {n} of {len(steps)}") for n, step in enumerate(steps, start=1)]


@contextmanager
def _recorded(folder: Path, on_line: OnLine) -> Iterator[OnLine]:
    """What the build prints goes to `on_line` and into a file beside the image to be."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)  # a machine's user passes through, and sees no other image's name
    try:
        with (folder / OUTPUT).open("w") as output:

            def record(line: str) -> None:
                output.write(f"{line}\n")
                on_line(line)

            yield record
    except BaseException:
        (folder / OUTPUT).unlink(missing_ok=True)
        raise


def _compile(work: Workplace) -> None:
    """Compile the app once, as its machines can't: their tree is read-only."""
    skipped = r"/(node_modules|\.git)/"
    compile_all = ("python3", "-m", "compileall", "-qq", "-x", skipped, ".")
    work.run("sh", "-c", f"{shlex.join(compile_all)} || true", title="compiling the app")


def _sweep(folder: Path) -> None:
    for place in folder.glob("*/"):
        if not (place / MARK).exists() and not (place / layers.MARK).exists():
            abandoned(place)


def _write(image: Image, used: tuple[Layer, ...]) -> None:
    about = {
        "app": image.app,
        "commit": image.commit,
        "size": image.size,
        "layers": [layer.tree.name for layer in used],
    }
    write_atomically(image.tree / MARK, json.dumps(about, indent=2) + "\n", 0o644)


def _read(tree: Path) -> Image | None:
    try:
        about = json.loads((tree / MARK).read_text())
    except FileNotFoundError:
        return None
    return Image(
        key=tree.name,
        app=about["app"],
        commit=about["commit"],
        runtime="process",
        reference=str(tree),
        size=about["size"],
    )
