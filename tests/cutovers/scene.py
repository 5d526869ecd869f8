"""Where cutovers happen: an environment with TLS, the application of all kinds, traffic."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import traffic
from dayfly.command import CommandError, output_of
from dayfly.config.home import Home
from dayfly.config.load import settings_of
from dayfly.environment.environment import open_runtime
from production import Production, Project, project, running
from small_image import python_image


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long requests take and how long they are given. All in seconds."""

    slow: float
    upload: float
    idle: tuple[float, float]
    hold: tuple[float, float]
    drain: float
    streams: float
    watch: float = 1.0


LONG = Pace(slow=10, upload=4, idle=(1, 7), hold=(4, 25), drain=15, streams=12)
SHORT = Pace(
    slow=2, upload=1, idle=(0.3, 2), hold=(1, 5), drain=5, streams=2.5, watch=0.5
)  # as above, for a sample

BUILD = """
[build]
dockerfile = "Dockerfile"
"""


@dataclass(frozen=True)
class Scene:
    prod: Production
    project: Project
    pace: Pace
    runtime: str

    @property
    def version(self) -> str:
        """Of the newest commit."""
        return (self.project.folder / "VERSION").read_text().strip()

    def commit(self) -> str:
        """One more version, with the settings of this scene."""
        return self.project.commit(
            changes={
                'drain        = "20s"': f'drain = "{self.pace.drain:g}s"',
                'stream_drain = "20s"': f'stream_drain = "{self.pace.streams:g}s"',
                'watch        = "2s"': f'watch = "{self.pace.watch:g}s"\nassets = "/assets/"',
                'deadline = "10s"': 'deadline = "30s"',
            },
            more=BUILD if self.runtime == "docker" else "",
        )


@contextmanager
def stage(folder: Path, runtime: str, pace: Pace, *, last: str = "") -> Iterator[Scene]:
    """An environment with TLS in which release 1 serves; `last` goes into environment.toml."""
    with _images_removed(folder), running(folder, runtime=runtime, tls=True, last=last) as prod:
        made = project(folder / "kinds")
        if runtime == "docker":
            text = f"FROM {python_image()}\nCOPY . /app\n"
            (made.folder / "Dockerfile").write_text(text)
        scene = Scene(prod, made, pace, runtime)
        prod.released(made, scene.commit())
        yield scene


@contextmanager
def _images_removed(folder: Path) -> Iterator[None]:
    """Docker's images are not in the folder that somebody clears away."""
    try:
        yield
    finally:
        home = Home(folder / "home")
        _, builder = open_runtime(home, settings_of(home))
        for image in builder.images():
            builder.remove(image)


@contextmanager
def under_load(scene: Scene, seed: int) -> Iterator[traffic.Load]:
    """All kinds of traffic at once, until the block ends or the load is stopped."""
    pace = scene.pace
    plan = traffic.Plan(
        target=scene.prod.url,
        secure=scene.prod.secure_url,
        ca=scene.prod.ca,
        seed=seed,
        stream_budget=pace.streams,
        slow=pace.slow,
        upload=pace.upload,
        idle=pace.idle,
        hold=pace.hold,
    )
    with traffic.steady(plan) as load:
        yield load


def has_docker() -> bool:
    try:
        output_of(["docker", "version", "--format", "{{.Server.Version}}"])
    except CommandError:
        return False
    return True
