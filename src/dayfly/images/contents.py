"""What an image or a machine holds, told file by file: the same content reads the same."""

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from dayfly import typed
from dayfly.durable import write_atomically
from dayfly.images.lock import Lock
from dayfly.images.packages import ORIGIN, brought, distributions, packages_of, users_of

LARGEST = 16 * 1024 * 1024  # bytes of a file that is read as a text
# A runtime puts these there, or lays something over them: nothing below is seen in a machine.
RUNTIMES = (
    ".dockerenv", "dev", "etc/hostname", "etc/hosts", "etc/mtab", "etc/resolv.conf", "proc", "sys",
    "tmp",
)  # fmt: skip
# Programs leave there what no build makes the same again; but in a machine it is what it was.
PASSING = ("run", "var/cache", "var/log", "var/tmp")
_CAPABILITIES = "security.capability"  # of files: who runs one has them, as if it were setuid
_PASSWD, _DPKG = "etc/passwd", "var/lib/dpkg/status"
# A virtual environment begins with them, in the versions that its Python brings.
_OF_PYTHON = frozenset({"pip", "setuptools"})
_PLACE = b"/image"  # in the place of a tree's own folder, which files of it name


@dataclass(frozen=True, kw_only=True)
class Contents:
    """Files by path without a leading /, each in a few words: kind, mode, owner, hash.

    Those at PASSING are apart: they count when a machine is compared, not when a build is.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    apt: Mapping[str, str] = field(default_factory=dict)
    pip: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    passing: Mapping[str, str] = field(default_factory=dict)
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

        def left(files: Mapping[str, str]) -> dict[str, str]:
            return {
                name: about
                for name, about in files.items()
                if not (name in on_the_way and about.startswith("folder"))
                and not any(PurePosixPath(name).is_relative_to(path) for path in paths)
            }

        return replace(self, files=left(self.files), passing=left(self.passing))

    @property
    def whole(self) -> "Contents":
        """With all of its files as such: what a machine is compared by."""
        return replace(self, files={**self.files, **self.passing}, passing={})


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
            if not name or _is_at(name, RUNTIMES):
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
    places = ((name, PurePosixPath(name)) for name in files if ORIGIN.fullmatch(name))
    origins = {name: folders[p.parts[0]].joinpath(*p.parts[1:]) for name, p in places}
    return _contents(files, {n: path.read_text(errors="replace") for n, path in origins.items()})


def _contents(files: Mapping[str, str], texts: Mapping[str, str]) -> Contents:
    return Contents(
        files={name: files[name] for name in files if not _is_at(name, PASSING)},
        passing={name: files[name] for name in files if _is_at(name, PASSING)},
        apt=packages_of(texts.get(_DPKG, "")),
        pip=distributions(files),
        users=users_of(texts.get(_PASSWD, "")),
        own=brought(files, texts),
    )


def _is_at(name: str, paths: Iterable[str]) -> bool:
    return any(name == path or name.startswith(f"{path}/") for path in paths)


def _told(
    member: tarfile.TarInfo, archive: tarfile.TarFile, name: str, texts: dict[str, str]
) -> str:
    about = f"{stat.S_IMODE(member.mode):04o} {member.uid}:{member.gid}"
    capable = _capable(member)
    if member.issym():
        return f"link to {member.linkname}"
    if member.islnk():
        return f"the same as {member.linkname}"
    if member.isdir():
        return f"folder {about}"
    file = archive.extractfile(member)
    if not isinstance(file, io.BufferedReader):
        return f"special {about}"
    read = name in {_PASSWD, _DPKG} or ORIGIN.fullmatch(name)
    if read and member.size <= LARGEST:
        raw = file.read()
        texts[name] = raw.decode(errors="replace")
        return f"file {about} {hashlib.sha256(raw).hexdigest()}{capable}"
    return f"file {about} {hashlib.file_digest(file, 'sha256').hexdigest()}{capable}"


def _capable(member: tarfile.TarInfo) -> str:
    told = member.pax_headers.get(f"SCHILY.xattr.{_CAPABILITIES}", "")
    return _in_words(told.encode(errors="surrogateescape"))


def _in_words(capabilities: bytes) -> str:
    return f" capabilities {capabilities.hex()}" if capabilities else ""


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
    with suppress(OSError):  # it has none, or its file system knows none
        digest += _in_words(os.getxattr(path, _CAPABILITIES))
    return f"file {stat.S_IMODE(status.st_mode):04o} {digest}"


def kept(beside: Path, read: Callable[[], Contents]) -> Contents:
    """The contents of what never changes, read once and kept in a file."""
    try:
        return typed.decode(beside.read_bytes(), _Kept).contents
    except (FileNotFoundError, msgspec.DecodeError):
        found = read()
        beside.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(beside, msgspec.json.encode(_Kept(contents=found)))
        return found
