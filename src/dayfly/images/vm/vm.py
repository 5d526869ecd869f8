"""From the image of a release to a disk that boots: the same files, and what makes a machine."""

import io
import platform
import re
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dayfly.command import CommandError, run
from dayfly.durable import locked
from dayfly.images.builder import BuildError
from dayfly.images.contents import Contents, of_archive
from dayfly.images.image import Image
from dayfly.images.lock import Lock
from dayfly.images.provision.provisioning import INSTALL, furnished, told_versions
from dayfly.images.provision.scaffold import scaffold
from dayfly.images.vm.disk import Disk, require_possible, require_room, require_tools, written
from dayfly.images.vm.sameness import unlike
from dayfly.images.vm.services import Recipe, files_of, links_of
from dayfly.images.workplace import Builders

PACKAGES = (
    "linux-image-cloud-amd64", "initramfs-tools", "systemd-sysv", "systemd-timesyncd", "udev",
    "e2fsprogs",
)  # fmt: skip
_OF_ITS_OWN = "systemd-resolved"  # since Debian 12; before, it was a part of systemd
_KERNEL = re.compile(r"boot/vmlinuz-(.+)")
_SHOWN = 5  # differences in a message
_FOLDER, _FILE = 0o755, 0o644
_EXPORT_SECONDS = 900.0


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A VM of an image that docker has."""

    image: Image
    holds: Contents  # of the image
    name: str  # of the container in which it is furnished
    size: int  # bytes of its disk
    recipe: Recipe


def made(wanted: Wanted, place: Path, builders: Builders) -> Path:
    """A qcow2 file below `place`, a folder that is the caller's to remove. BuildError says why not.

    What lies on it was compared with the image before.
    """
    require_tools()
    require_debian(wanted.holds)
    disk = Disk(size=wanted.size, key=wanted.image.key)
    require_possible(disk, place, len(wanted.holds.files))
    archive = place / "root.tar"
    with locked(place.parent / ".vm.lock"):  # one container of the name at a time
        _furnish(wanted, archive, builders)
    extra = place / "extra.tar"
    with archive.open("rb") as stream:
        vm = of_archive(stream)
    extra.write_bytes(archived(wanted.recipe, kernel_of(vm), disk.root))
    with extra.open("rb") as stream:
        laid_over = of_archive(stream)
    vm = Contents(files={**vm.files, **laid_over.files}, apt=vm.apt, pip=vm.pip, users=vm.users)
    require_same(wanted.holds, vm)
    require_room(disk, archive.stat().st_size, len(vm.files))
    builders.on_line(f"writing a disk of {disk.size:,} bytes")
    return written(disk, (archive, extra), place, builders.stop)


def require_debian(holds: Contents) -> None:
    if platform.machine() != "x86_64":
        raise BuildError(f"a VM image is made for x86-64, and this host is {platform.machine()}")
    if "apt" not in holds.apt:
        raise BuildError(
            "the image has no Debian in it: there is nothing that a kernel and systemd could be"
            " installed with",
            hint='A VM needs a base of Debian: base = "bookworm" in [image].',
        )


def require_same(image: Contents, vm: Contents) -> None:
    """BuildError where a VM would not be what was built."""
    found = unlike(image, vm)
    if found:
        names = ", ".join(f"{each.kind} {each.name}" for each in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
        raise BuildError(
            f"what makes a VM of the image would change what it holds: {names}{more}",
            hint="Release the commit again: its packages are as new then as those of the VM.",
        )


def kernel_of(vm: Contents) -> str:
    """The version of its newest kernel."""
    found = (_KERNEL.fullmatch(name) for name in vm.files)
    versions = sorted((m[1] for m in found if m), key=_numbers)
    if not versions:
        raise BuildError("no kernel was installed into the VM")
    return versions[-1]


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def packages_for(apt: Mapping[str, str]) -> tuple[str, ...]:
    """What is installed into an image that has these packages."""
    release = apt.get("base-files", "")
    first = re.match(r"\d+", release)
    old = first is not None and int(first[0]) < 12  # noqa: PLR2004 - of Debian
    return PACKAGES if old else (*PACKAGES, _OF_ITS_OWN)


def _furnish(wanted: Wanted, archive: Path, builders: Builders) -> None:
    """The image with a kernel and an init; no package that it has gets another version."""
    lock = Lock(apt=wanted.holds.apt, pip=wanted.holds.pip)
    packages = " ".join(packages_for(wanted.holds.apt))
    builders.on_line(f"adding what makes a machine of it: {packages}")
    with (
        tempfile.TemporaryDirectory(prefix="dayfly-told-") as told,
        scaffold(
            wanted.image.reference,
            wanted.name,
            furnished(Path(told), lock),
            told_versions(builders, lock),
        ) as inside,
    ):
        inside.only(f"{INSTALL} {packages}", title="adding a kernel and an init", secrets={})
        try:
            run(
                ["docker", "export", f"--output={archive}", wanted.name],
                stop=builders.stop,
                seconds=_EXPORT_SECONDS,
            )
        except CommandError as error:
            raise BuildError("docker can't export the VM's files", hint=error.tail) from error


def archived(recipe: Recipe, kernel: str, root: str) -> bytes:
    """All of our own files, which belong to root, as a tar archive."""
    buffer = io.BytesIO()
    texts, links = files_of(recipe, kernel, root), links_of(recipe)
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder in _folders([*texts, *links]):
            member = tarfile.TarInfo(folder)
            member.type, member.mode = tarfile.DIRTYPE, _FOLDER
            archive.addfile(member)
        for path, text in texts.items():
            raw = text.encode(errors="surrogateescape")
            member = tarfile.TarInfo(path)
            member.mode, member.size = _FILE, len(raw)
            archive.addfile(member, io.BytesIO(raw))
        for path, target in links.items():
            member = tarfile.TarInfo(path)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return buffer.getvalue()


def _folders(paths: list[str]) -> list[str]:
    """Those that no Debian has."""
    return sorted(
        {
            str(above)
            for path in paths
            for above in PurePosixPath(path).parents
            if above.parts and (above.name.endswith((".d", ".wants")) or "dayfly" in above.parts)
        }
    )
