"""What builds images: one small interface, one implementation for each runtime."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from dayfly.clock import Stop
from dayfly.config.app import App
from dayfly.errors import DayflyError
from dayfly.images.contents import Contents
from dayfly.images.image import Image, LayerTold

OnLine = Callable[[str], None]


class BuildError(DayflyError):
    """No image came of it, and nothing half-built is left."""


class Builder(Protocol):
    """Builds images of one runtime. One contract test suite holds for every implementation."""

    def key(self, app: App, source: Path) -> str:
        """Name the inputs of a build: the same key is the same image."""
        ...

    def build(self, app: App, commit: str, source: Path, *, on_line: OnLine, stop: Stop) -> Image:
        """The image of `source`, an exported commit; built unless it is there already.

        BuildError says which step failed and how; neither it nor a stop leaves anything behind.
        """
        ...

    def images(self) -> tuple[Image, ...]:
        """The complete ones, newest first."""
        ...

    def find(self, app_name: str, commit: str) -> Image | None:
        """The newest image of a commit."""
        ...

    def contents(self, image: Image) -> Contents:
        """What an image holds; kept beside it, as it never changes."""
        ...

    def read(self, image: Image) -> Contents:
        """The same, read anew: an image on disk can be damaged."""
        ...

    def files(self, image: Image, named: Callable[[str], bool], into: Path) -> Path:
        """A folder with what of the app's folder is named, and maybe more: with links as they are.

        `into` is for what has to be copied; it need not be there.
        """
        ...

    def configuration(self, image: Image) -> Mapping[str, str]:
        """What an image says of its machines."""
        ...

    def layers(self, image: Image) -> tuple[LayerTold, ...]:
        """What it lies in, the lowest first."""
        ...

    def sweep(self) -> None:
        """End and remove what builds of a server that died have left; nobody builds meanwhile."""
        ...

    def clear(self) -> None:
        """Remove all images, and whatever else builds have left."""
        ...

    def remove(self, image: Image) -> None:
        """Unknown is no error. That no machine runs from it is for the caller to know."""
        ...


@contextmanager
def disk_errors_told(where: Path) -> Iterator[None]:
    """Translate what the file system refuses while building in `where`."""
    try:
        yield
    except OSError as error:
        raise BuildError(f"cannot build in {where}: {error.strerror or error}") from error
