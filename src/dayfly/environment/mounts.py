"""Directories that all machines of an app share, as the settings of what serves name them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from dayfly.config.app import App
from dayfly.config.prefixes import meet
from dayfly.release.work import Parts


@dataclass(frozen=True, kw_only=True)
class Mount:
    """`path` is that of dayfly.toml, `folder` where it lies; keys begin with the prefix.

    `turns` tell when which release began to serve, in seconds since the epoch, oldest first.
    """

    app: str
    release: int
    turns: tuple[tuple[float, int], ...] = ()
    bucket: str
    path: str
    folder: Path
    prefix: str

    @property
    def about(self) -> str:
        return f"{self.app}: {self.path}"

    def key(self, path: str) -> str:
        return f"{self.prefix}{path}"


@dataclass
class Serving:
    """The mounts of what serves, by the settings of its release."""

    parts: Parts
    _apps: dict[int, App] = field(default_factory=dict)

    def mounts(self) -> Iterator[Mount]:
        for name in self.parts.balancer.routing().serving:
            number = self.parts.serving(name)
            if number is not None:
                yield from self._of(number)

    def _of(self, number: int) -> Iterator[Mount]:
        if number not in self._apps:
            self._apps[number] = self.parts.app_of(self.parts.journal.release(number))
        app = self._apps[number]
        for path, prefix in app.files.mount_places.items():
            yield Mount(
                app=app.app,
                release=number,
                turns=self._turns(app.app),
                bucket=self.parts.archive.bucket_of(app),
                path=path,
                folder=self.parts.home.keep(app.app, path),
                prefix=prefix,
            )

    def _turns(self, app: str) -> tuple[tuple[float, int], ...]:
        events = self.parts.journal.told(app, "cutover")
        return tuple((event.time, event.release) for event in events if event.release)


def served(mount: Mount, moment: float) -> int:
    """The release that served then."""
    began = [release for time, release in mount.turns if time <= moment]
    return began[-1] if began else mount.release


def clashes(mounts: Iterable[Mount]) -> dict[str, str]:
    """Why some are not followed: their keys may be those of one that comes before them."""
    found = dict[str, str]()
    for first, second in combinations(mounts, 2):
        if first.bucket == second.bucket and meet(first.prefix, second.prefix):
            says = f"{first.bucket}/{first.prefix} belongs to {first.about}; name another prefix."
            found.setdefault(second.about, f"it is not archived: {says}")
    return found
