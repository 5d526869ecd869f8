"""Disks that boot: what lies on them, and why one is not made."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from dayfly.clock import Stop
from dayfly.images.builder import BuildError
from dayfly.images.contents import Contents
from dayfly.images.vm.disk import (
    TOOLS,
    Disk,
    SizeError,
    packages_without,
    require_possible,
    require_room,
    require_tools,
    written,
)
from dayfly.images.vm.sameness import added, fingerprints, unlike
from dayfly.images.vm.services import Recipe, Service, files_of, links_of, unit_of, user_words
from dayfly.images.vm.vm import archived, kernel_of, packages_for, require_debian, require_same
from virtual import found_on

MEGABYTE = 1024 * 1024
WEB = Service(name="web", launch="PORT=8000\n", alone=True, memory=128 * MEGABYTE, cpus=0.5)
WORKER = Service(name="worker", launch="", alone=False)
RECIPE = Recipe(
    app="orders",
    release=3,
    shim="#!/bin/sh\n",
    services=(WEB, WORKER),
    user=("--reuid=10001", "--regid=10001", "--groups=10001"),
    workdir="/app",
    tasks=4096,
    grace=30.0,
    secrets=("TOKEN",),
    folders=("uploads",),
)
KERNEL = "6.1.0-9-cloud-amd64"


@pytest.fixture
def tools() -> None:
    try:
        require_tools()
    except BuildError as error:
        if os.environ.get("CI"):
            pytest.fail(f"{error} {error.hint}")
        pytest.skip(f"{error} {error.hint}")


def root_of(place: Path) -> Path:
    """The files of a small machine: rights, owners and second names count."""
    archive = place / "root.tar"
    with tarfile.open(archive, "w") as tar:
        for name in ("boot", "etc", "tmp"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            tar.addfile(folder)
        for name, mode, owner in (
            (f"boot/vmlinuz-{KERNEL}", 0o644, 0),
            ("etc/motd", 0o4755, 0),
            ("app.py", 0o440, 10001),
            (".dockerenv", 0o644, 0),
        ):
            file = tarfile.TarInfo(name)
            file.mode, file.uid, file.gid, file.size = mode, owner, owner, len(name)
            tar.addfile(file, io.BytesIO(name.encode()))
        second = tarfile.TarInfo("again.py")
        second.type, second.linkname = tarfile.LNKTYPE, "app.py"
        tar.addfile(second)
    return archive


@pytest.mark.usefixtures("tools")
def test_a_disk_has_a_place_for_the_boot_loader_and_the_files_as_they_were(tmp_path: Path) -> None:
    disk = Disk(size=96 * MEGABYTE, key="k")
    root, extra = root_of(tmp_path), tmp_path / "extra.tar"
    extra.write_bytes(archived(RECIPE, KERNEL, disk.root))
    made = written(disk, (root, extra), tmp_path, Stop())
    assert made.stat().st_size < disk.size / 4, "what is empty takes no room"

    files = {"again.py": "the same as app.py"}
    found = found_on(made, tmp_path, Contents(files=files))
    boot, last = found.parts
    assert (boot["start"], boot["size"]) == (2048, 2048)
    assert boot["type"] == "21686148-6449-6E6F-744E-656564454649", "where BIOSes find GRUB"
    assert last["type"] == "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"
    assert (last["start"] + last["size"]) * 512 > disk.size - 64 * 1024
    raw = found.raw.read_bytes()
    assert raw[510:512] == b"\x55\xaa"
    assert b"GRUB" in raw[:512]
    assert raw[2048 * 512 :][:512] != bytes(512)

    told = found.contents.files
    assert ".dockerenv" not in told
    assert told["etc/motd"].startswith("file 4755 0:0 ")
    assert told["app.py"].startswith("file 0440 10001:10001 ")
    assert told["again.py"] == "the same as app.py"
    assert told["usr/lib/dayfly/web.launch"].startswith("file 0644 0:0 ")
    wants = "etc/systemd/system/multi-user.target.wants/orders-web.service"
    assert told[wants] == "link to /etc/systemd/system/orders-web.service"


@pytest.mark.usefixtures("tools")
def test_a_disk_that_is_too_small_is_none(tmp_path: Path) -> None:
    with pytest.raises(SizeError, match="a disk of 100 MB is too small: what lies on it needs"):
        require_room(Disk(size=100 * MEGABYTE, key="k"), 200 * MEGABYTE, 12_000)
    require_room(Disk(size=1024 * MEGABYTE, key="k"), 500 * MEGABYTE, 12_000)
    big = tmp_path / "big.tar"
    with tarfile.open(big, "w") as tar:
        file = tarfile.TarInfo("big")
        file.size = 24 * MEGABYTE
        tar.addfile(file, io.BytesIO(os.urandom(file.size)))
    with pytest.raises(SizeError, match="too small for what lies on it"):
        written(Disk(size=20 * MEGABYTE, key="k"), (big,), tmp_path, Stop())


def test_the_same_image_gets_the_same_names() -> None:
    assert Disk(size=1, key="k").root == Disk(size=2, key="k").root
    assert Disk(size=1, key="k").root != Disk(size=1, key="l").root


USERS = {"root": "0:0:/root:/bin/sh", "www-data": "33:33:/var/www:/bin/sh"}


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("", "--reuid=0 --regid=0 --init-groups"),
        ("10001:10001", "--reuid=10001 --regid=10001 --groups=10001"),
        ("10001", "--reuid=10001 --regid=0 --groups=0"),
        ("33", "--reuid=33 --regid=33 --init-groups"),
        ("www-data", "--reuid=33 --regid=33 --init-groups"),
        ("www-data:staff", "--reuid=33 --regid=staff --groups=staff"),
    ],
)
def test_who_runs_the_app_is_who_runs_it_in_a_container(user: str, words: str) -> None:
    assert " ".join(user_words(user, USERS)) == words


def test_a_user_that_is_not_there_is_refused() -> None:
    with pytest.raises(BuildError, match="runs as 'nobody-here', whom its /etc/passwd doesn't"):
        user_words("nobody-here", USERS)


def test_a_process_is_started_with_the_rights_and_limits_of_its_machines() -> None:
    unit = unit_of(RECIPE, WEB).splitlines()
    for line in (
        "ExecStartPre=+/bin/sh /usr/lib/dayfly/secrets TOKEN",
        "Requires=orders-web.output.service orders.folders.service",
        "EnvironmentFile=-/run/dayfly/secrets",
        "WorkingDirectory=/app",
        "ProtectSystem=strict",
        "BindPaths=/var/lib/dayfly/uploads:/app/uploads",
        f"MemoryMax={128 * MEGABYTE}",
        "CPUQuota=50%",
        "TasksMax=4096",
        "KillMode=mixed",
    ):
        assert line in unit
    [command] = [line for line in unit if line.startswith("ExecStart=")]
    assert (
        "--reuid=10001 --regid=10001 --groups=10001 --no-new-privs --bounding-set=-all" in command
    )
    assert "KillMode=control-group" in unit_of(RECIPE, WORKER), "a shell and all below it"


def test_nothing_secret_and_no_key_of_a_host_lies_in_it() -> None:
    texts = files_of(RECIPE, KERNEL, "u-u-i-d")
    assert not any(path.startswith(("etc/dayfly", "etc/ssh")) for path in texts)
    assert "ssh-keygen" not in "".join(texts.values())
    assert texts["etc/machine-id"] == ""
    assert "root=UUID=u-u-i-d" in texts["boot/grub/grub.cfg"]
    assert not any("ssh" in path for path in links_of(RECIPE))


IMAGE = Contents(
    files={"etc/passwd": "file a", "app/app.py": "file 0444 0:0 a", "etc/motd": "file 0644 0:0 b"},
    apt={"apt": "2.6", "libc6": "2.36"},
    users={"root": "0:0"},
)


def vm_of(**more: dict[str, str]) -> Contents:
    return Contents(
        files={
            **IMAGE.files,
            "etc/passwd": "file b",
            "boot/vmlinuz-6.1": "file",
            **more.get("files", {}),
        },
        apt={**IMAGE.apt, "systemd": "252", **more.get("apt", {})},
        users={**IMAGE.users, "messagebus": "100:1", **more.get("users", {})},
    )


def test_what_a_vm_adds_changes_nothing_of_the_image() -> None:
    vm = vm_of()
    assert unlike(IMAGE, vm) == ()
    one, other = fingerprints(IMAGE, vm)
    assert one == other
    assert added(IMAGE, vm) == ("systemd",)
    require_same(IMAGE, vm)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"files": {"app/app.py": "file 0444 0:0 c"}}, "file /app/app.py"),
        ({"apt": {"libc6": "2.37"}}, "package libc6"),
        ({"users": {"root": "0:1"}}, "user root"),
    ],
)
def test_a_vm_that_would_be_another_machine_is_none(
    change: dict[str, dict[str, str]], says: str
) -> None:
    one, other = fingerprints(IMAGE, vm_of(**change))
    assert one != other
    with pytest.raises(BuildError, match=f"would change what it holds: {says}"):
        require_same(IMAGE, vm_of(**change))


def test_what_is_added_depends_on_the_debian() -> None:
    assert "systemd-resolved" in packages_for({"base-files": "12.4+deb12u14"})
    assert "systemd-resolved" not in packages_for({"base-files": "11.1+deb11u11"})
    kernels = {f"boot/vmlinuz-6.1.0-{n}-cloud-amd64": "file" for n in (9, 56, 10)}
    assert kernel_of(Contents(files=kernels)) == "6.1.0-56-cloud-amd64"


def test_an_image_without_debian_can_be_no_vm() -> None:
    with pytest.raises(BuildError, match="the image has no Debian in it") as refused:
        require_debian(Contents(files={"bin/sh": "file"}))
    assert 'base = "bookworm"' in refused.value.hint


def test_missing_programs_are_named_with_their_packages() -> None:
    assert packages_without(TOOLS) == ()
    assert packages_without({*TOOLS} - {"mke2fs", "qemu-img"}) == ("e2fsprogs", "qemu-utils")


@pytest.mark.parametrize(
    ("size", "says"),
    [
        (1, "a disk of 0 MB is too small: empty, it takes 1"),
        (100 * MEGABYTE, "a disk of 100 MB is too small"),
        (3 * 1024**4, "a disk of 3,145,728 MB is too large"),
    ],
)
def test_a_size_that_no_disk_can_have_is_refused_at_once(
    tmp_path: Path, size: int, says: str
) -> None:
    with pytest.raises(SizeError, match=says):
        require_possible(Disk(size=size, key="k"), tmp_path, 1000)
    require_possible(Disk(size=4096 * MEGABYTE, key="k"), tmp_path, 1000)
    assert list(tmp_path.iterdir()) == []
