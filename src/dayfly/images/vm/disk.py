"""A bootable disk made of a root file system, without mounting anything and without loop devices.

A GPT with a partition for GRUB's own code, as BIOSes start it, and one for the root. What GRUB's
installer would write by help of a mounted disk are two numbers, which are put in their places here.
"""

import os
import shlex
import struct
import tempfile
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from dayfly.clock import Stop
from dayfly.command import CommandError, Setting, run, which
from dayfly.images.builder import BuildError
from dayfly.images.workplace import failed

SECTOR = 512
GRUB = Path("/usr/lib/grub/i386-pc")  # of Debian's grub-pc-bin
BOOT, FAKEROOT = "boot.img", "fakeroot"
# Programs (and one file) by their packages; root needs nobody who pretends to be it.
TOOLS = {
    BOOT: "grub-pc-bin", FAKEROOT: "fakeroot", "sfdisk": "fdisk", "mke2fs": "e2fsprogs",
    "qemu-img": "qemu-utils", "grub-mkimage": "grub-common", "tar": "tar",
}  # fmt: skip
SECONDS = 1800.0
_MEGABYTE = 1024 * 1024
_CORE_AT, _CORE_SECTORS, _ROOT_AT = 2048, 2048, 4096  # sectors
_AT_THE_END = 34  # sectors of the second table
_BIOS_BOOT = "21686148-6449-6E6F-744E-656564454649"
_LINUX_ROOT = "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"  # of x86-64
_BLOCK = 4096
_INODE = 256
_MODULES = ("biosdisk", "configfile", "ext2", "linux", "normal", "part_gpt", "search_fs_uuid")
# Places in GRUB's own code: where its first sector reads on, and a check that its installer undoes
# for hard disks, as some BIOSes tell the wrong drive.
_READ_ON, _DRIVE_CHECK, _TABLE = 0x5C, 0x66, 0x1B8
_BLOCKLIST = SECTOR - 12
# No feature that a GRUB of Debian 12 can't read; the same with each version of mke2fs.
_EXT4 = """\
[defaults]
base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
blocksize = 4096
inode_size = 256
inode_ratio = 16384
[fs_types]
ext4 = {
  features = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
}
"""


LARGEST = 2 * 1024**4  # bytes of a disk


class SizeError(BuildError):
    """The disk is smaller than what has to lie on it, or larger than one can be."""


@dataclass(frozen=True, kw_only=True)
class Disk:
    """How large it is, and the name of its root; the same `key` gives the same names."""

    size: int  # bytes
    key: str

    @property
    def root(self) -> str:
        return self._uuid("root")

    @property
    def table(self) -> str:
        """The partitions, as sfdisk reads them."""
        core = f"start={_CORE_AT}, size={_CORE_SECTORS}, type={_BIOS_BOOT}, name=boot"
        root = f"start={_ROOT_AT}, size={self._root_sectors}, type={_LINUX_ROOT}, name=root"
        names = (f", uuid={self._uuid(part)}" for part in ("first", "second"))
        lines = ["label: gpt", f"label-id: {self._uuid('disk')}"]
        lines += (line + name for line, name in zip((core, root), names, strict=True))
        return "\n".join(lines) + "\n"

    @property
    def blocks(self) -> int:
        """Of the root's file system."""
        return self._root_sectors * SECTOR // _BLOCK

    @property
    def _root_sectors(self) -> int:
        left = self.size // SECTOR - _ROOT_AT - _AT_THE_END
        return left - left % (_BLOCK // SECTOR)

    def _uuid(self, what: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"dayfly:{self.key}:{what}"))


def require_tools() -> None:
    """BuildError names what to install."""
    there = {name for name in TOOLS if which(name)}
    there |= {BOOT} if (GRUB / BOOT).exists() else set()
    there |= {FAKEROOT} if os.geteuid() == 0 else set()
    if wanted := packages_without(there):
        raise BuildError(
            "a VM image can't be made: programs that write its disk are not installed",
            hint=f"Install them where Dayfly's server runs: apt install {' '.join(wanted)}",
        )


def packages_without(there: Collection[str]) -> tuple[str, ...]:
    """What to install where only these of the TOOLS are."""
    return tuple(sorted({TOOLS[name] for name in TOOLS if name not in there}))


def require_room(disk: Disk, archive_bytes: int, files: int) -> None:
    """The file system's own tables, its journal and 5 % to work with come on top of the files."""
    needed = _needed(archive_bytes, files)
    if disk.size < needed:
        raise SizeError(
            f"a disk of {_megabytes(disk.size)} MB is too small: what lies on it needs"
            f" {_megabytes(needed)} MB",
            hint=f"Take a larger one, such as --size {-(-needed // (256 * _MEGABYTE)) * 256}MB.",
        )


def _needed(archive_bytes: int, files: int) -> int:
    return archive_bytes * 105 // 100 + files * _INODE + 160 * _MEGABYTE


def require_possible(disk: Disk, place: Path, files: int) -> None:
    """SizeError for a size that no disk of an image with so many files can have below `place`."""
    if disk.size > LARGEST:
        raise SizeError(
            f"a disk of {_megabytes(disk.size)} MB is too large",
            hint=f"Allowed are {_megabytes(LARGEST)} MB; `qemu-img resize` makes it larger later.",
        )
    if disk.size < _needed(0, files):
        raise SizeError(
            f"a disk of {_megabytes(disk.size)} MB is too small: empty, it takes"
            f" {_megabytes(_needed(0, files))} MB",
            hint="Leave --size out for one of 4GB, which most images fit on.",
        )
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.truncate(disk.size)
    except OSError as error:
        raise SizeError(
            f"a disk of {_megabytes(disk.size)} MB is too large for"
            f" the file system of {place.parent}: {error.strerror}",
            hint="Take a smaller one; `qemu-img resize` makes it larger later.",
        ) from error


def written(disk: Disk, root: tuple[Path, ...], place: Path, stop: Stop) -> Path:
    """A qcow2 below `place` whose root holds these archives, the later ones over the earlier."""
    raw, made = place / "disk.raw", place / "disk.qcow2"
    (place / "mke2fs.conf").write_text(_EXT4)
    (place / "table").write_text(disk.table)
    (place / "boot.cfg").write_text(_boot(disk))
    with raw.open("wb") as file:
        file.truncate(disk.size)
    _do(place, stop, f"sfdisk --quiet {raw} < table")
    _do(place, stop, _filled(disk, root, raw), as_root=True)
    modules = " ".join(_MODULES)
    _do(place, stop, f"grub-mkimage -O i386-pc -p /boot/grub -c boot.cfg -o core.img {modules}")
    _bootable(raw, (GRUB / BOOT).read_bytes(), (place / "core.img").read_bytes())
    _do(place, stop, f"qemu-img convert -f raw -O qcow2 {raw} {made}")
    return made


def _filled(disk: Disk, root: tuple[Path, ...], raw: Path) -> str:
    """A folder is filled and read: mke2fs of Debian 12 takes no archive."""
    tar = "tar --extract --numeric-owner --same-owner --same-permissions --overwrite"
    kept = "--xattrs --xattrs-include=security.capability --exclude=.dockerenv --directory=tree"
    lines = ["mkdir tree", *(f"{tar} {kept} --file={shlex.quote(str(each))}" for each in root)]
    options = f"offset={_ROOT_AT * SECTOR},hash_seed={disk.root},root_owner=0:0"
    lines.append(
        f"mke2fs -q -F -t ext4 -L root -m 1 -U {disk.root} -E {options} -d tree {raw} {disk.blocks}"
    )
    return "; ".join([*lines, "rm -rf tree"])


def _do(place: Path, stop: Stop, script: str, *, as_root: bool = False) -> None:
    plain_user = as_root and os.geteuid() != 0
    argv = [*(["fakeroot"] if plain_user else []), "sh", "-e", "-c", script]
    try:
        run(argv, setting=Setting(cwd=place, env=_environment(place)), stop=stop, seconds=SECONDS)
    except CommandError as error:
        if "Could not allocate" in error.tail:
            raise SizeError("the disk is too small for what lies on it", hint=error.tail) from error
        raise failed(f"writing the disk, at {script.split(maxsplit=1)[0]},", error) from error


def _environment(place: Path) -> Mapping[str, str]:
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "LC_ALL": "C.UTF-8", "MKE2FS_CONFIG": str(place / "mke2fs.conf")}


def _boot(disk: Disk) -> str:
    """Where GRUB's own code finds all that is for people to read and change."""
    return f"search.fs_uuid {disk.root} root\nconfigfile /boot/grub/grub.cfg\n"


def _bootable(raw: Path, first: bytes, core: bytes) -> None:
    """GRUB's first sector before the table of old, and the rest in a partition of its own."""
    if len(core) > _CORE_SECTORS * SECTOR:
        raise BuildError("GRUB's own code is larger than its partition")
    begin = bytearray(first[:_TABLE])
    struct.pack_into("<Q", begin, _READ_ON, _CORE_AT)
    begin[_DRIVE_CHECK : _DRIVE_CHECK + 2] = b"\x90\x90"
    rest = bytearray(core)
    sectors = -(-len(core) // SECTOR) - 1
    struct.pack_into("<QH", rest, _BLOCKLIST, _CORE_AT + 1, sectors)
    with raw.open("r+b") as file:
        file.write(begin)
        file.seek(_CORE_AT * SECTOR)
        file.write(rest)


def _megabytes(size: int) -> str:
    return f"{size / _MEGABYTE:,.0f}"
