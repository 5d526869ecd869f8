"""What a docker image holds that must be known, or copied, before a machine of it starts."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dayfly.machines import workdir
from dayfly.machines.container import numeric_user
from dayfly.machines.engine import Engine
from dayfly.machines.machine import MachineError


@dataclass(frozen=True)
class ImageFiles:
    engine: Engine
    reference: str
    workdir: str  # of the image: the app's folder

    def inside(self, path: str) -> str:
        """Where a path of the app's folder lies in a container."""
        return str(PurePosixPath(self.workdir or "/", path))

    def uid(self, user: str) -> int:
        """The number of an image's `USER`."""
        if (number := numeric_user(user, "")) is not None:
            return number
        with self._unstarted() as container:
            archive = self.engine.archive(container, "/etc/passwd")
            file = archive.extractfile("passwd") if archive else None
            number = numeric_user(user, file.read().decode(errors="replace") if file else "")
        if number is None:
            raise MachineError(
                f"the image {self.reference} runs as {user!r}, whom its /etc/passwd doesn't have",
                hint="Name the user by number in the Dockerfile: USER 10001",
            )
        return number

    def copy(self, paths: tuple[str, ...], to: Path, uid: int | None) -> dict[str, Path]:
        """These paths of the app's folder as the image has them, for `uid` to write; where each is.

        What the image doesn't have becomes an empty folder.
        """
        if not paths:
            return {}
        copies = {path: to / str(at) for at, path in enumerate(paths)}
        with self._unstarted() as container:
            for path, folder in copies.items():
                folder.mkdir(parents=True)
                archive = self.engine.archive(container, self.inside(workdir.checked(path)))
                if archive:
                    archive.extractall(folder, filter="tar")
                else:
                    (folder / PurePosixPath(path).name).mkdir()
                workdir.give(folder, uid)
        return {path: folder / PurePosixPath(path).name for path, folder in copies.items()}

    @contextmanager
    def _unstarted(self) -> Iterator[str]:
        """A container that is only looked into: nothing is mounted over what it holds."""
        body = {"Image": self.reference, "Entrypoint": ["/"], "Cmd": []}
        container = str(self.engine.post("/containers/create", body)["Id"])
        try:
            yield container
        finally:
            self.engine.delete(f"/containers/{container}", force="1", v="1")
