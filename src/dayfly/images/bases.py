"""What images start from: a Debian release made here, a tarball of the source, an OCI image."""

import json
import lzma
import tarfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dayfly.clock import Stop
from dayfly.command import CommandError, run
from dayfly.config.image import SUITES, is_archive
from dayfly.images.base import SUITE, TOOLS, made_base, name_of
from dayfly.images.builder import BuildError, OnLine
from dayfly.images.engine import described, translated
from dayfly.images.fingerprint import key_of, of_paths

PULL_SECONDS = 1800.0


@dataclass(frozen=True, kw_only=True)
class Base:
    """What docker knows of a base."""

    name: str
    id: str
    starts: tuple[str, ...]  # instructions of a Dockerfile that say what its containers start
    tools: tuple[str, ...] = ()  # Debian packages that build steps on it expect


def base_of(base: str | None, source: Path, folder: Path, on_line: OnLine, stop: Stop) -> Base:
    """A base that docker has, made or fetched first when it has not."""
    wanted = base or SUITE
    get: Callable[[], object]
    if wanted in SUITES:
        name, get = name_of(wanted), partial(made_base, folder, on_line, stop, wanted)
    elif is_archive(wanted):
        name = f"dayfly/base:{key_of(of_paths(source, [wanted]))}"
        get = partial(_import, source / wanted, wanted, name, stop)
    else:
        name, get = wanted, partial(_pull, wanted, on_line, stop)
    about = described(name)
    if about is None:
        get()
        about = described(name)
    if about is None:
        raise BuildError(f"the base {name} is gone, just after it was made or fetched")
    return _base(name, about, TOOLS if wanted in SUITES else ())


def require_files(path: Path, known_as: str) -> None:
    """BuildError for a tarball that can't be one of a root file system.

    Python reads no zstd before 3.14: what is packed by that docker judges alone.
    """
    if known_as.endswith(".zst"):
        return
    try:
        with tarfile.open(path) as archive:
            empty = archive.next() is None
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise _no_base(known_as, f"it is no tar archive: {error}") from error
    if empty:
        raise _no_base(known_as, "there is nothing in it")


def _import(path: Path, known_as: str, name: str, stop: Stop) -> None:
    require_files(path, known_as)
    try:
        run(["docker", "import", str(path), name], stop=stop, seconds=PULL_SECONDS)
    except CommandError as error:
        told = translated(error)
        if told.message != error.message:
            raise told from error
        raise _no_base(known_as, f"docker says: {error.tail}") from error


def _no_base(known_as: str, why: str) -> BuildError:
    return BuildError(
        f"the base {known_as} can't be had: {why}",
        hint="A tarball that is a base holds a whole root file system, with /bin/sh.",
    )


def _base(name: str, about: Mapping[str, Any], tools: tuple[str, ...]) -> Base:
    config = about["Config"] or {}
    starts = (("ENTRYPOINT", config.get("Entrypoint")), ("CMD", config.get("Cmd")))
    told = tuple(f"{word} {json.dumps(words or [])}" for word, words in starts)
    return Base(name=name, id=about["Id"], starts=told, tools=tools)


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
