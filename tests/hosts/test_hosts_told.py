"""What a person types of a host, what it tells of itself, and which keys it shows: rows of data."""

import ast
import io
import json
import os
import re
import sys
import tarfile
from dataclasses import replace
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dayfly
from dayfly.command import CommandError, output_of
from dayfly.errors import UsageError
from dayfly.hosts.address import Address, HostError, address_of, opening_of
from dayfly.hosts.facts import NEEDED, Facts, facts_of, in_the_way, read, require
from dayfly.hosts.keys import Key, keys_of, known_as, remember, vouched
from dayfly.hosts.making import person_problem
from dayfly.hosts.package import package
from dayfly.hosts.play import PLAYBOOKS, environment, inventory
from dayfly.hosts.rebooting import serving
from dayfly.hosts.ssh import Ssh

BARE = Facts(
    system="Debian GNU/Linux 12 (bookworm)", debian="12", user="deploy", root=True, becomes=True,
    python=True, systemd=True, free=2 * NEEDED, port=22, boot="a", made=False, environment=False,
    people=False, came=False, pythonless=False,
)  # fmt: skip
ROLE = PLAYBOOKS / "roles/host"
ED25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIPEX/cu9wEZJSzfGhAmFsHneSHKP6Dj05RGFCKax5p6Y"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.8.0.5", Address(host="10.8.0.5")),
        ("deploy@10.8.0.5", Address(host="10.8.0.5", user="deploy")),
        ("deploy@far.example:2222", Address(host="far.example", user="deploy", port=2222)),
        ("root@[fd00::5]:22", Address(host="fd00::5", user="root", port=22)),
    ],
)
def test_an_address_is_read_and_written_again(text: str, address: Address) -> None:
    assert address_of(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text", ["", "deploy@", "-oProxyCommand=id", "a b", "fd00::5", "host:0", "host:70000", "x@y@z"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no address of a host"):
        address_of(text)


@given(st.text(max_size=40))
def test_no_text_becomes_an_option_of_ssh(text: str) -> None:
    try:
        address = address_of(text)
    except UsageError:
        return
    assert str(address) == text or address.port is not None  # a port may be written 0022
    assert not any(word.startswith("-") for word in (address.host, address.user or "a"))


@pytest.mark.parametrize(
    ("text", "rule"),
    [("80", "tcp dport 80 accept"), ("500/udp", "udp dport 500 accept"), ("0", ""), ("all", "")],
)
def test_what_the_firewall_lets_in(text: str, rule: str) -> None:
    if rule:
        assert opening_of(text) == rule
    else:
        with pytest.raises(UsageError, match="is no port"):
            opening_of(text)


def test_what_a_host_tells_of_itself() -> None:
    said = (
        "system=Debian GNU/Linux 13 (trixie)\nid=debian\nrelease=13\nuser=root\nroot=yes\n"
        "python=yes\nfree=7.5e+09\nport=2222\nboot=b 77\n"
        "made=yes\npeople=yes\ncame=yes\npythonless=yes\n"
    )
    assert read(said, "far") == Facts(
        system="Debian GNU/Linux 13 (trixie)", debian="13", user="root", root=True, becomes=False,
        python=True, systemd=False, free=7_500_000_000, port=2222, boot="b 77", made=True,
        environment=False, people=True, came=True, pythonless=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    "said",
    ["hello from a router\n", "", "system=BusyBox\nid=\nrelease=\nuser=a\nfree=Filesystem\n"],
)
def test_what_is_no_answer_of_a_debian_is_shown(said: str) -> None:
    with pytest.raises(HostError, match=r"^far does not tell what it is") as refused:
        read(said, "far")
    assert "Debian 12 or 13" in refused.value.hint
    assert (said.strip() or "nothing") in refused.value.hint


@pytest.mark.parametrize("status", [1, 127, 128])
def test_a_login_that_is_no_shell_is_told_with_the_hosts_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    (tmp_path / "ssh").write_text(f"#!/bin/sh\necho no account >&2\nexit {status}\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    ssh = Ssh(address=Address(host="far"))
    with pytest.raises(HostError, match=r"^far does not tell what it is") as refused:
        facts_of(ssh)
    assert "It answered:\nno account" in refused.value.hint
    with pytest.raises(CommandError, match=f"^a command on far failed: exit status {status}$"):
        ssh.tell("true")


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (BARE, []),
        (replace(BARE, system="Ubuntu 24.04", debian=""), ["it runs Ubuntu 24.04"]),
        (replace(BARE, debian="11"), ["a host is made of Debian 12 or 13"]),
        (replace(BARE, systemd=False), ["it was not started by systemd"]),
        (replace(BARE, root=False), ["deploy can't become root there without a password"]),
        (replace(BARE, free=1024**3), ["/var has 1.0 GB free, and 3 GB are needed"]),
        (replace(BARE, free=1024**3, made=True), []),  # it has what takes the space
    ],
)
def test_what_is_in_the_way(facts: Facts, says: list[str]) -> None:
    found = [problem for problem, _ in in_the_way(facts)]
    assert len(found) == len(says)
    assert all(part in whole for part, whole in zip(says, found, strict=True))


def test_all_that_is_in_the_way_is_told_at_once() -> None:
    with pytest.raises(HostError, match=r"far: it runs .*; deploy can't .*; /var has") as refused:
        require(replace(BARE, debian="", root=False, free=0), "far")
    assert "NOPASSWD" in refused.value.hint


def test_a_key_that_was_compared_is_known_from_then_on(tmp_path: Path) -> None:
    keys = keys_of(f"# far:2222\nfar ssh-rsa AAAA\n[far]:2222 ssh-ed25519 {ED25519}\nfar bad\n")
    assert [key.kind for key in keys] == ["ssh-ed25519", "ssh-rsa"]
    compared = keys[0].fingerprint
    file = tmp_path / "ssh/known_hosts"
    settled = {"hostname": "far", "port": "2222", "userknownhostsfile": f"{file} /other"}
    assert remember(vouched(keys, compared, "far"), settled) == file
    remember(vouched(keys, compared, "far"), settled)
    assert file.read_text() == f"[far]:2222 ssh-ed25519 {ED25519}\n"
    assert known_as({**settled, "port": "22", "hostkeyalias": "gate"}) == "gate"
    with pytest.raises(HostError, match="far has no key SHA256:other; it shows SHA256:"):
        vouched(keys, "SHA256:other", "far")


def test_a_fingerprint_is_written_as_ssh_keygen_writes_it() -> None:
    key = Key(kind="ssh-ed25519", text=ED25519)
    assert key.fingerprint == "SHA256:c/I54Cqr33zk9b3j857jhS9VelN8hyB7WorLzBk1eTE"


@pytest.mark.parametrize(
    ("name", "keys", "good"),
    [
        ("ana", f"ssh-ed25519 {ED25519} ana@laptop\n", True),
        ("Ana", f"ssh-ed25519 {ED25519}", False),
        ("ana", f"# ana's\r\n\r\nssh-ed25519 {ED25519} ana\r\n", True),
        ("ana", f"ssh-ed25519 {ED25519}!", False),
        ("ana", "", False),
        ("ana", "-----BEGIN OPENSSH PRIVATE KEY-----\n", False),
    ],
)
def test_who_may_log_in(name: str, keys: str, *, good: bool) -> None:
    assert (person_problem(name, keys) == "") is good


def test_ansible_uses_the_persons_ssh_and_knows_no_other_host(tmp_path: Path) -> None:
    ssh = Ssh(address=address_of("deploy@far:2222"), config=tmp_path / "config")
    about = {"ansible_host": "far", "ansible_user": "deploy", "ansible_port": 2222}
    assert inventory(ssh) == {"all": {"hosts": {"host": about}}}
    told = environment(tmp_path, ssh)
    assert "StrictHostKeyChecking=yes" in told["ANSIBLE_SSH_ARGS"]
    assert f"-F {tmp_path}/config" in told["ANSIBLE_SSH_ARGS"]


def test_the_same_dayfly_is_the_same_package() -> None:
    assert package().version == package().version
    assert "--hash=sha256:" in package().needs
    with tarfile.open(fileobj=io.BytesIO(package().code)) as archive:
        names = archive.getnames()
        told = archive.extractfile("dayfly/hosts/requirements.txt")
        assert told is not None
        assert told.read().decode() == package().needs, "so that a host can make another one"
    assert "dayfly/cli/host.py" in names
    assert any(name.endswith(".dist-info/METADATA") for name in names)


def imported(path: Path) -> set[str]:
    """Packages that a file names, also where it imports them late."""
    nodes = [*ast.walk(ast.parse(path.read_text()))]
    plain = [each.name for node in nodes if isinstance(node, ast.Import) for each in node.names]
    other = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in (*plain, *other)}


def test_a_host_is_brought_all_that_dayfly_imports() -> None:
    """Ansible has an environment of its own; `compression` is newer Pythons' own."""
    known = {*sys.stdlib_module_names, "dayfly", "ansible", "compression"}
    names = set[str]().union(*map(imported, Path(dayfly.__file__).parent.rglob("*.py"))) - known
    owners = packages_distributions()
    brought = {line.partition("==")[0] for line in package().needs.splitlines() if "==" in line}

    assert {"boto3", "msgspec"} <= names
    assert [name for name in sorted(names) if not brought & {*map(as_locked, owners[name])}] == []


def as_locked(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_a_newer_dayfly_keeps_the_one_before_and_no_older_one(tmp_path: Path) -> None:
    def come(version: str, python: str) -> set[str]:
        lib, venv = tmp_path / f"dayfly-{version}", tmp_path / f"python-{python}"
        (venv / "bin").mkdir(parents=True, exist_ok=True)
        venv.with_suffix(".txt").touch()
        (venv / "bin/python").write_text(f"#!/bin/sh\necho {venv}\n")
        (venv / "bin/python").chmod(0o755)
        with tarfile.open(f"{lib}.tar", "w") as archive:
            archive.add(venv / "bin/python", "dayfly/one.py")
        script = ROLE / "files/dayfly-current.sh"
        output_of(["sh", str(script), str(lib), str(venv), str(tmp_path / f"current-{version}")])
        assert (venv / "dayfly.pth").read_text() == f"{lib}\n"
        assert (lib / "dayfly/one.py").exists()
        return {each.name for each in tmp_path.iterdir()}

    def whole(*names: str) -> set[str]:
        ends = {"dayfly": ".tar", "python": ".txt"}
        return {*names} | {f"{name}{ends[name[:6]]}" for name in names}

    assert come("1", "a") == {*whole("dayfly-1", "python-a"), "current-1"}
    (tmp_path / "current-1").write_text("")  # as it was written once
    assert come("2", "b") == {
        *whole("dayfly-1", "python-a", "dayfly-2", "python-b"), "current-2",
    }  # fmt: skip
    assert come("3", "b") == {*whole("dayfly-2", "dayfly-3", "python-b"), "current-3"}
    assert come("4", "c") == {
        *whole("dayfly-3", "python-b", "dayfly-4", "python-c"), "current-4",
    }  # fmt: skip
    (tmp_path / "current-3").write_text("python-b\n")  # the run was cut off before its end
    (tmp_path / "current-4").unlink()
    assert come("4", "c") == {
        *whole("dayfly-3", "python-b", "dayfly-4", "python-c"), "current-4",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fleets", "whole"),
    [
        ([], True),
        ([None], True),
        ([{"machines": [{"healthy": True}, {"healthy": True}]}], True),
        ([{"machines": [{"healthy": True}, {"healthy": False}]}], False),
        ([{"machines": []}], False),
    ],
)
def test_a_host_serves_again_when_every_fleet_is_whole(
    fleets: list[object], *, whole: bool
) -> None:
    assert serving(json.dumps({"apps": [{"serving": fleet} for fleet in fleets]})) is whole
