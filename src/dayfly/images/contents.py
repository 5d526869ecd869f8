"""What an image or a machine holds, told file by file: the same content reads the same."""

import hashlib
import io
import json
import os
import re
import stat
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from dayfly import typed
from dayfly.durable import write_atomically
from dayfly.images.lock import Lock

LARGEST = 16 * 1024 * 1024  # bytes of a file that is read as a text
# What a runtime puts there, or nobody keeps: it is no part of what was built.
PASSING = (
    ".dockerenv", "dev", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf", "proc", "run",
    "sys", "tmp", "var/cache", "var/log", "var/tmp",
)  # fmt: skip
_PASSWD, _DPKG = "etc/passwd", "var/lib/dpkg/status"
_DIST = re.compile(r"(?P<at>.*)/(?P<name>[^/]+)-(?P<version>[^/-]+)\.dist-info/METADATA")
_FIELD = re.compile(r"^(Package|Status|Architecture|Version): (.*)$", re.MULTILINE)
_OF_DEBIAN = "usr/lib/python3"
_ORIGIN = re.compile(r".*/(?P<name>[^/]+)-[^/-]+\.dist-info/direct_url\.json")
_OF_THE_APP = "app/"
# A virtual environment begins with them, in the versions that its Python brings.
_OF_PYTHON = frozenset({"pip", "setuptools"})
_PLACE = b"/image"  # in the place of a tree's own folder, which files of it name


@dataclass(frozen=True, kw_only=True)
class Contents:
    """Files by path without a leading /, each in a few words: kind, mode, owner, hash."""

    files: Mapping[str, str] = field(default_factory=dict)
    apt: Mapping[str, str] = field(default_factory=dict)
    pip: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    own: tuple[str, ...] = ()  # of pip: installed from files, as the app itself is

    @property
    def lock(self) -> Lock:
        """Of what comes from an index: the commit says what the app brings itself."""
        left_out = _OF_PYTHON.union(self.own)
        return Lock(apt=self.apt, pip={n: v for n, v in self.pip.items() if n not in left_out})

    def without(self, outside: Iterable[str]) -> "Contents":
        """Without the files at or below these paths, and the folders on the way to them.

        A folder may be there only because something is mounted below it.
        """
        paths = tuple(PurePosixPath(path) for path in outside)
        on_the_way = {str(above) for path in paths for above in path.parents}
        left = {
            name: about
            for name, about in self.files.items()
            if not (name in on_the_way and about.startswith("folder"))
            and not any(PurePosixPath(name).is_relative_to(path) for path in paths)
        }
        return replace(self, files=left)


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """What an older Dayfly kept told less of a file, and is no _Kept: it is read anew."""

    contents: Contents


def of_archive(stream: IO[bytes]) -> Contents:
    """Of a whole root file system as a tar archive."""
    files, texts = dict[str, str](), dict[str, str]()
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            name = member.name.removeprefix("./").strip("/")
            if not name or _is_passing(name):
                continue
            files[name] = _told(member, archive, name, texts)
    return _contents(files, texts)


def of_tree(folders: Mapping[str, Path], own: Path) -> Contents:
    """Of folders of this host, by the names they are told as; their own place counts for nothing.

    Of folders nothing is told: those of a machine are its own, their files are the image's.
    """
    files = {
        f"{name}/{path}": about
        for name, folder in folders.items()
        for path, about in _walked(folder, os.fsencode(own))
    }
    places = ((name, PurePosixPath(name)) for name in files if _ORIGIN.fullmatch(name))
    origins = {name: folders[p.parts[0]].joinpath(*p.parts[1:]) for name, p in places}
    return _contents(files, {n: path.read_text(errors="replace") for n, path in origins.items()})


def _contents(files: Mapping[str, str], texts: Mapping[str, str]) -> Contents:
    return Contents(
        files=files,
        apt=packages_of(texts.get(_DPKG, "")),
        pip=distributions(files),
        users=users_of(texts.get(_PASSWD, "")),
        own=tuple(sorted({*_from_files(texts), *distributions(_below(files, _OF_THE_APP))})),
    )


def _is_passing(name: str) -> bool:
    return any(name == path or name.startswith(f"{path}/") for path in PASSING)


def _told(
    member: tarfile.TarInfo, archive: tarfile.TarFile, name: str, texts: dict[str, str]
) -> str:
    about = f"{stat.S_IMODE(member.mode):04o} {member.uid}:{member.gid}"
    if member.issym():
        return f"link to {member.linkname}"
    if member.islnk():
        return f"the same as {member.linkname}"
    if member.isdir():
        return f"folder {about}"
    file = archive.extractfile(member)
    if not isinstance(file, io.BufferedReader):
        return f"special {about}"
    read = name in {_PASSWD, _DPKG} or _ORIGIN.fullmatch(name)
    if read and member.size <= LARGEST:
        raw = file.read()
        texts[name] = raw.decode(errors="replace")
        return f"file {about} {hashlib.sha256(raw).hexdigest()}"
    return f"file {about} {hashlib.file_digest(file, 'sha256').hexdigest()}"


def _walked(folder: Path, own: bytes) -> Iterator[tuple[str, str]]:
    for at, folders, files in os.walk(folder):
        links = [name for name in folders if Path(at, name).is_symlink()]
        for path in (Path(at, name) for name in [*files, *links]):
            yield str(path.relative_to(folder)), _told_of(path, own)


def _told_of(path: Path, own: bytes) -> str:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        target = os.fsencode(path.readlink()).replace(own, _PLACE)
        return f"link to {os.fsdecode(target)}"
    if not stat.S_ISREG(status.st_mode):
        return "special"
    digest = hashlib.sha256(path.read_bytes().replace(own, _PLACE)).hexdigest()
    return f"file {stat.S_IMODE(status.st_mode):04o} {digest}"


def packages_of(status: str) -> dict[str, str]:
    """Name and version of each installed package, from dpkg's own file.

    One of another architecture than dpkg's own is named with it, as apt does.
    """
    rows = [dict(_FIELD.findall(entry)) for entry in status.split("\n\n")]
    has = [row for row in rows if row.get("Status", "").endswith(" installed")]
    own = next((row.get("Architecture") for row in has if row["Package"] == "dpkg"), None)
    return {_package(row, own): row.get("Version", "") for row in has}


def _package(row: Mapping[str, str], own: str | None) -> str:
    name, built_for = row["Package"], row.get("Architecture")
    return name if own is None or built_for in {own, "all", None} else f"{name}:{built_for}"


def distributions(files: Iterable[str]) -> dict[str, str]:
    """Python's packages that pip installed, from the names of their metadata."""
    found = {}
    for name in files:
        told = _DIST.fullmatch(name)
        if told and not name.startswith(_OF_DEBIAN):
            found[_normal(told["name"])] = told["version"]
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _below(files: Iterable[str], folder: str) -> Iterator[str]:
    return (name for name in files if name.startswith(folder))


def _from_files(texts: Mapping[str, str]) -> Iterator[str]:
    """Python's packages of which pip says that they come from a file or folder of the build."""
    for name, text in texts.items():
        told = _ORIGIN.fullmatch(name)
        if told and _url(text).startswith("file:"):
            yield _normal(told["name"])


def _url(text: str) -> str:
    try:
        told = json.loads(text)
    except ValueError:
        return ""
    return str(told.get("url", "")) if isinstance(told, dict) else ""


def users_of(passwd: str) -> dict[str, str]:
    """Who there is, with number, group, home and shell."""
    rows = (line.split(":") for line in passwd.splitlines())
    return {row[0]: ":".join([row[2], row[3], *row[5:7]]) for row in rows if len(row) >= 7}  # noqa: PLR2004


def kept(beside: Path, read: Callable[[], Contents]) -> Contents:
    """The contents of what never changes, read once and kept in a file."""
    try:
        return typed.decode(beside.read_bytes(), _Kept).contents
    except (FileNotFoundError, msgspec.DecodeError):
        found = read()
        beside.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(beside, msgspec.json.encode(_Kept(contents=found)))
        return found
