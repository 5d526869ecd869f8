"""A virtual machine of a disk, headless in qemu, as a test or a campaign needs it."""

import json
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from dayfly.clock import wait_until
from dayfly.command import output_of
from dayfly.images.contents import Contents, of_archive
from dayfly.images.vm.disk import SECTOR
from ports import free_port

KVM = Path("/dev/kvm")
BOOT_SECONDS = 300.0  # without KVM it is slow
DOWN_SECONDS = 60.0
MEGABYTES = 512
_TAR = ("tar", "--numeric-owner", "--xattrs", "--xattrs-include=security.capability")


@dataclass(frozen=True)
class Guest:
    process: "subprocess.Popen[bytes]"
    folder: Path
    port: int  # of this host, that leads to the app's
    ssh: int | None = None  # one that leads to its sshd

    @property
    def console(self) -> str:
        return (self.folder / "console").read_text(errors="replace")

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return json.load(answer)

    def until_healthy(self, path: str = "/healthz") -> None:
        def answers() -> bool:
            if self.process.poll() is not None:
                raise AssertionError(f"qemu ended\n{self.console}")
            try:
                with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=1) as answer:
                    return bool(answer.status == 200)
            except (URLError, OSError):
                return False

        wait_until(answers, seconds=BOOT_SECONDS, what="the app in the VM answers", poll=0.02)

    def memory(self) -> int:
        """Bytes that qemu has of this host for it, its own included."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        [line] = [each for each in status.splitlines() if each.startswith("VmRSS:")]
        return int(line.split()[1]) * 1024

    def power_off(self) -> float:
        """As by its button; how long it takes."""
        began = time.monotonic()
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(str(self.folder / "qmp"))
            said = monitor.makefile("rwb")
            for word in ("qmp_capabilities", "system_powerdown"):
                said.write(json.dumps({"execute": word}).encode() + b"\n")
                said.flush()
            self.process.wait(DOWN_SECONDS)
        return time.monotonic() - began


def has_kvm() -> bool:
    """By the processor's own means: what stands in for them may start no usual kernel."""
    if not any(Path("/sys/module", name).exists() for name in ("kvm_intel", "kvm_amd")):
        return False
    try:
        KVM.open("r+b").close()
    except OSError:
        return False
    return True


@contextmanager
def booted(disk: Path, *drives: Path, to: int = 8000, furnished: bool = False) -> Iterator[Guest]:
    """What it writes is forgotten; it reaches nothing outside of itself.

    One that is to be `furnished` from outside reaches what this host does.
    """
    with tempfile.TemporaryDirectory(prefix="dayfly-vm-") as name:
        folder, port = Path(name), free_port()
        (folder / "console").touch()
        ssh = free_port() if furnished else None
        ways = {port: to} if ssh is None else {port: to, ssh: 22}
        argv = _qemu(disk, drives, folder, ways, alone=not furnished)
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL) as process:
            try:
                yield Guest(process, folder, port, ssh)
            finally:
                process.kill()


def _qemu(
    disk: Path, drives: Sequence[Path], folder: Path, ways: Mapping[int, int], *, alone: bool
) -> list[str]:
    """`ways` lead from a port of this host to one of the guest."""
    fast = ["-enable-kvm", "-cpu", "host"] if has_kvm() else ["-cpu", "max"]
    forwarded = "".join(f",hostfwd=tcp:127.0.0.1:{here}-:{there}" for here, there in ways.items())
    given = [f"file={drive},format=raw,if=virtio,readonly=on,file.locking=off" for drive in drives]
    return [
        "qemu-system-x86_64", "-nodefaults", "-display", "none", *fast,
        "-m", f"{MEGABYTES}M", "-smp", "2", "-serial", f"file:{folder / 'console'}",
        "-qmp", f"unix:{folder / 'qmp'},server=on,wait=off",
        "-drive", f"file={disk},format=qcow2,if=virtio,snapshot=on",
        *(word for drive in given for word in ("-drive", drive)),
        "-netdev", f"user,id=net,restrict={'on' if alone else 'off'}{forwarded}",
        "-device", "virtio-net-pci,netdev=net",
    ]  # fmt: skip


def drive_of(secrets: dict[str, str], to: Path) -> Path:
    """A drive that brings secrets, as the how-to makes it."""
    folder = to.with_name(f"{to.name}-folder")
    folder.mkdir()
    (folder / "secrets").write_text("".join(f'{name}="{secrets[name]}"\n' for name in secrets))
    output_of(["mke2fs", "-q", "-L", "DAYFLY", "-d", str(folder), str(to), "1M"])
    return to


@dataclass(frozen=True)
class Found:
    """What lies on a disk."""

    parts: list[dict[str, Any]]  # as sfdisk tells them
    contents: Contents
    raw: Path


def found_on(disk: Path, place: Path, model: Contents) -> Found:
    """Read a disk from the outside: its table, and each file of its root.

    `model` says by which of its names a file is told that has more than one.
    """
    raw, root = place / "found.raw", place / "found.root"
    output_of(["qemu-img", "convert", "-O", "raw", str(disk), str(raw)], seconds=300)
    parts = json.loads(output_of(["sfdisk", "--json", str(raw)]))["partitiontable"]["partitions"]
    start = f"if={raw}", f"skip={parts[-1]['start'] * SECTOR}", f"of={root}"
    output_of(["dd", "bs=1M", "iflag=skip_bytes", "conv=sparse", *start], seconds=300)
    output_of(["e2fsck", "-fn", str(root)], seconds=300)
    tree = place / "found"
    tree.mkdir()
    output_of(["debugfs", "-R", f"rdump / {tree}", str(root)], seconds=300)
    archive = place / "found.tar"
    output_of([*_TAR, "-cf", str(archive), "-C", str(tree), "."], seconds=300)
    with archive.open("rb") as stream:
        contents = of_archive(stream)
    files = _put_right(contents.files, _inodes(root, tree), model.files)
    return Found(parts, replace(contents, files=files), raw)


def _inodes(root: Path, tree: Path) -> dict[str, tuple[str, str]]:
    """Number and mode of each file, as they stand on the disk."""
    folders = ["/", *(f"/{path.relative_to(tree)}" for path in tree.rglob("*") if _is_folder(path))]
    asked = root.with_name("asked")
    asked.write_text("".join(f'ls -p "{folder}"\n' for folder in folders))
    found, folder = dict[str, tuple[str, str]](), ""
    for line in output_of(["debugfs", "-f", str(asked), str(root)], seconds=300).splitlines():
        if line.startswith("debugfs: "):
            folder = line.split('"')[1].strip("/")
        elif line.startswith("/"):
            _, inode, mode, _, _, name, *_ = line.split("/")
            found[f"{folder}/{name}".lstrip("/")] = (inode, mode[-4:])
    return found


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _put_right(
    files: Mapping[str, str], inodes: Mapping[str, tuple[str, str]], model: Mapping[str, str]
) -> dict[str, str]:
    """What `rdump` loses: bits that let a program be somebody else, and second names."""
    right = dict[str, str]()
    for name, about in files.items():
        kind, mode, *rest = about.split(" ", 2)
        other = model.get(name, "").removeprefix("the same as ")
        if other in inodes and inodes[other][0] == inodes[name][0]:
            right[name] = model[name]
        elif kind in {"file", "folder"} and int(mode, 8) == int(inodes[name][1], 8) & 0o1777:
            right[name] = " ".join([kind, inodes[name][1], *rest])
        else:
            right[name] = about
    return right
