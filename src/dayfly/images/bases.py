"""What images start from: a Debian release made here, a tarball of the source, an OCI image."""

import json
from dataclasses import dataclass
from pathlib import Path

from dayfly.clock import Stop
from dayfly.command import CommandError, run
from dayfly.config.image import SUITES, is_archive
from dayfly.images.base import made_base
from dayfly.images.builder import BuildError, OnLine
from dayfly.images.engine import described, docker, translated
from dayfly.images.fingerprint import key_of, of_paths

PULL_SECONDS = 1800.0


def base_of(base: str | None, source: Path, folder: Path, on_line: OnLine, stop: Stop) -> str:
    """The name of a base that docker has, made or fetched first when it has not."""
    if base is None or base in SUITES:
        return made_base(folder, on_line, stop, *([base] if base else []))
    if is_archive(base):
        return _imported(source, base)
    if described(base) is None:
        _pull(base, on_line, stop)
    return base


def _imported(source: Path, archive: str) -> str:
    name = f"dayfly/base:{key_of(of_paths(source, [archive]))}"
    if described(name) is None:
        docker("import", str(source / archive), name)
    return name


def _pull(base: str, on_line: OnLine, stop: Stop) -> None:
    on_line(f"fetching {base}")
    try:
        run(["docker", "pull", "--quiet", base], stop=stop, seconds=PULL_SECONDS)
    except CommandError as error:
        told = translated(error)
        if told.message != error.message:
            raise told from error
        raise BuildError(
            f"the base {base} can't be had",
            hint=f"It is no Debian release ({', '.join(SUITES)}), no tarball, and docker says:\n"
            f"{error.tail}",
        ) from error


@dataclass(frozen=True, kw_only=True)
class Base:
    """What docker knows of a base."""

    name: str
    id: str
    starts: tuple[str, ...]  # instructions of a Dockerfile that say what its containers start


def known_base(name: str) -> Base:
    (about,) = json.loads(docker("image", "inspect", name))
    config = about["Config"] or {}
    starts = (("ENTRYPOINT", config.get("Entrypoint")), ("CMD", config.get("Cmd")))
    told = tuple(f"{word} {json.dumps(words or [])}" for word, words in starts)
    return Base(name=name, id=about["Id"], starts=told)
