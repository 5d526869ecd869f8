"""What an archive of a root file system tells of what is in it, and what differs."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from dayfly.images.contents import Contents, kept, of_archive, of_tree
from dayfly.images.differences import Difference, differences, settings
from dayfly.images.exported import made_by
from dayfly.images.packages import distributions, packages_of

STATUS = """\
Package: nginx
Status: install ok installed
Architecture: amd64
Version: 1.22.1-9
Description: a server
 Package: of a description

Package: gone
Status: deinstall ok config-files
Version: 1
"""
PASSWD = "root:x:0:0:root:/root:/bin/bash\nworker:x:999:999::/srv:/bin/sh\n"


def archive(
    files: dict[str, str], links: dict[str, str], xattrs: dict[str, str] | None = None
) -> io.BytesIO:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.pax_headers = xattrs or {}
            info.size, info.mode = len(text.encode()), 0o644
            tar.addfile(info, io.BytesIO(text.encode()))
        for name, target in links.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
        folder = tarfile.TarInfo("srv/")
        folder.type, folder.mode, folder.uid = tarfile.DIRTYPE, 0o755, 999
        tar.addfile(folder)
    made.seek(0)
    return made


def test_an_archive_tells_files_packages_and_users() -> None:
    metadata = "opt/venv/lib/python3.11/site-packages/Flask_Login-0.6.3.dist-info/METADATA"
    found = of_archive(
        archive(
            {
                "var/lib/dpkg/status": STATUS,
                "etc/passwd": PASSWD,
                "etc/hostname": "of the container",
                "var/log/dpkg.log": "passing",
                "app/a": "x",
                metadata: "",
            },
            {"bin": "usr/bin"},
        )
    )
    assert found.apt == {"nginx": "1.22.1-9"}
    assert found.pip == {"flask-login": "0.6.3"}
    assert found.users == {"root": "0:0:/root:/bin/bash", "worker": "999:999:/srv:/bin/sh"}
    assert found.files["bin"] == "link to usr/bin"
    assert found.files["srv"] == "folder 0755 999:0"
    assert found.files["app/a"].startswith("file 0644 0:0 2d711642b726b044")
    assert {"etc/hostname", "var/log/dpkg.log"} & found.files.keys() == set()
    assert found.passing.keys() == {"var/log/dpkg.log"}
    assert found.whole.files == {**found.files, **found.passing}


def test_what_a_file_may_do_for_who_runs_it_is_told_of_it() -> None:
    raw = bytes.fromhex("0100000200042000000000000a000000ff000000")
    xattrs = {"SCHILY.xattr.security.capability": raw.decode(errors="surrogateescape")}
    plain, capable = (of_archive(archive({"usr/bin/x": "x"}, {}, each)) for each in ({}, xattrs))

    assert capable.files["usr/bin/x"] == f"{plain.files['usr/bin/x']} capabilities {raw.hex()}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file capabilities")
def test_capabilities_of_files_on_disk_are_told_likewise(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    raw = bytes.fromhex("0100000200042000000000000000000000000000")
    os.setxattr(tmp_path / "x", "security.capability", raw)

    assert (
        of_tree({"app": tmp_path}, tmp_path).files["app/x"].endswith(f" capabilities {raw.hex()}")
    )


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("opt/venv/lib/python3.11/site-packages/six-1.16.0.dist-info/METADATA", {"six": "1.16.0"}),
        ("usr/lib/python3/dist-packages/six-1.16.0.dist-info/METADATA", {}),
        ("opt/venv/lib/python3.11/site-packages/six-1.16.0.dist-info/RECORD", {}),
    ],
)
def test_what_pip_installed_is_told_by_its_metadata(name: str, found: dict[str, str]) -> None:
    assert distributions([name]) == found


def test_of_a_package_that_is_removed_nothing_is_told() -> None:
    assert packages_of(STATUS) == {"nginx": "1.22.1-9"}
    assert packages_of("") == {}


def test_a_package_of_another_architecture_is_named_with_it() -> None:
    row = "Package: {}\nStatus: install ok installed\nArchitecture: {}\nVersion: {}\n"
    rows = (("dpkg", "amd64", "1"), ("libc6", "amd64", "2"), ("libc6", "i386", "3"))
    status = "\n".join(row.format(*each) for each in (*rows, ("tzdata", "all", "4")))

    assert packages_of(status) == {"dpkg": "1", "libc6": "2", "libc6:i386": "3", "tzdata": "4"}


@pytest.mark.parametrize(
    ("origin", "locked"),
    [
        ('{"url": "file:///app", "dir_info": {}}', set()),
        ('{"url": "file:///app", "dir_info": {"editable": true}}', set()),
        ('{"url": "file:///app/vendor/orders-1.0.whl", "archive_info": {}}', set()),
        ('{"url": "https://example.org/orders.zip", "archive_info": {}}', {"orders"}),
        ("no json", {"orders"}),
    ],
)
def test_what_the_commit_itself_brings_is_not_locked(origin: str, locked: set[str]) -> None:
    site = "opt/venv/lib/python3.11/site-packages"
    files = {
        f"{site}/orders-1.0.dist-info/METADATA": "",
        f"{site}/orders-1.0.dist-info/direct_url.json": origin,
        f"{site}/pip-23.0.1.dist-info/METADATA": "",
        "app/vendor/old-1.0.dist-info/METADATA": "",
    }
    assert of_archive(archive(files, {})).lock.pip.keys() == locked


def test_a_tree_reads_the_same_wherever_it_lies(tmp_path: Path) -> None:
    found = []
    for name in ("one", "another"):
        tree = tmp_path / name
        (tree / "app").mkdir(parents=True)
        (tree / "app/run").write_text(f"#!{tree}/venv/bin/python\n")
        (tree / "app/link").symlink_to(tree / "venv")
        found.append(of_tree({"app": tree / "app", "venv": tree / "venv"}, tree))
    assert found[0] == found[1]
    assert found[0].files["app/link"] == "link to /image/venv"


def test_what_is_kept_beside_an_image_is_read_once(tmp_path: Path) -> None:
    holds = Contents(files={"app/a": "file"}, pip={"six": "1.16.0"})
    read = iter([holds])
    (tmp_path / "x").mkdir()
    (tmp_path / "x/1.contents").write_text('{"files": {"of": "an older Dayfly"}}')
    assert kept(tmp_path / "x/1.contents", lambda: next(read)) == holds
    assert kept(tmp_path / "x/1.contents", lambda: next(read)) == holds


def test_differences_name_packages_before_files() -> None:
    one = Contents(apt={"nginx": "1", "less": "590"}, files={"a": "file 1", "b": "file 1"})
    other = Contents(apt={"nginx": "2"}, files={"a": "file 2", "b": "file 1", "c": "link to b"})
    assert differences(one, other) == (
        Difference(kind="package", name="less", one="590", other=None),
        Difference(kind="package", name="nginx", one="1", other="2"),
        Difference(kind="file", name="/a", one="file 1", other="file 2"),
        Difference(kind="file", name="/c", one=None, other="link to b"),
    )
    assert differences(one, one) == ()
    assert settings({"user": "0"}, {"user": "10001"})[0].name == "user"


def test_what_lies_outside_is_not_compared() -> None:
    names = {"app": "folder", "app/log": "folder", "app/log/x": "file", "app/logo": "file"}
    holds = Contents(files=names)
    assert holds.without(["app/log"]).files == {"app/logo": "file"}


@pytest.mark.parametrize(
    ("comment", "created", "says"),
    [
        ("packages nginx", "/bin/sh -c exec sleep infinity", "packages nginx"),
        ("", "/bin/sh -c #(nop) COPY dir:75 in /app/ ", "COPY dir:75 in /app/"),
        ("", "|2 A=/x PIP_CERT=/y sh -e -c pip install six", "pip install six"),
        ("", '|1 A=/x sh -e -c eval "$FTP_PROXY"; pip install six', "pip install six"),
        ("", "/bin/sh -c ! command -v python3", "! command -v python3"),
    ],
)
def test_what_made_a_layer(comment: str, created: str, says: str) -> None:
    assert made_by({"Comment": comment, "CreatedBy": created}) == says
