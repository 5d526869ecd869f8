"""What only holds for machines that are processes of this host."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dayfly.clock import wait_until
from dayfly.images.image import Image
from dayfly.machines import cgroup, proc
from dayfly.machines.folder import Folders
from dayfly.machines.freezer import halt
from dayfly.machines.intent import intend
from dayfly.machines.launchfile import secret_folder
from dayfly.machines.machine import MachineError, Spec
from dayfly.machines.output import last_lines
from dayfly.machines.ports import SHARED, Ports, circle
from dayfly.machines.process import ProcessRuntime
from dayfly.machines.session import Session
from dayfly.machines.uids import choose, require_reach, uid_for
from dayfly.machines.workdir import discard, log_places

MakeSpec = Callable[..., Spec]
root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def runtime(process_runtime: ProcessRuntime) -> ProcessRuntime:
    return process_runtime


def is_ended(runtime: ProcessRuntime) -> bool:
    return runtime.machines()[0].state == "exited"


@root
def test_each_app_runs_as_its_own_user(runtime: ProcessRuntime, spec: MakeSpec) -> None:
    """It can't read the secrets or the memory of others, nor those of the server."""
    lines: list[str] = []
    runtime.run(spec("id -u; id -G; echo $USER $HOME; touch $HOME/x"), on_line=lines.append)
    uid = uid_for(runtime.home, runtime.environment, "shop")

    assert uid is not None
    assert lines[:2] == [str(uid), str(uid)]
    assert uid_for(runtime.home, runtime.environment, "shop") == uid
    assert uid_for(runtime.home, runtime.environment, "other") != uid


def test_a_taken_uid_is_not_given_twice() -> None:
    first = choose("env", "app", frozenset())
    assert choose("env", "app", frozenset()) == first
    assert choose("env", "app", frozenset({first})) != first


@root
def test_a_home_that_nobody_can_pass_through(tmp_path: Path, tree: Image, environment: str) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    runtime = ProcessRuntime(closed, environment)
    wanted = Spec(name="m", app="shop", release=1, process="web", image=tree, run="true")

    with pytest.raises(MachineError, match="can't pass through") as caught:
        runtime.launch(wanted)

    assert "chmod o+x /" in caught.value.hint
    assert runtime.machines() == ()
    with pytest.raises(MachineError, match=str(closed)):
        require_reach(closed / "x", 12345)


def test_a_server_that_dies_while_launching_starts_nothing(
    runtime: ProcessRuntime, spec: MakeSpec, tmp_path: Path
) -> None:
    """The shim waits for word that its pid was recorded; then it sees its server gone."""
    shim = Path(sys.modules["dayfly.machines"].__path__[0], "shim.sh")
    launch = tmp_path / "launch"
    launch.write_text("DAYFLY_RUN='echo started'\n")
    done = subprocess.run(
        ["sh", shim, launch, tmp_path / "out", tmp_path / "status"],
        stdin=subprocess.DEVNULL,
        env={"DAYFLY_GATE": "1", "PATH": "/bin:/usr/bin"},
        check=False,
    )
    assert done.returncode == 125
    assert not (tmp_path / "out").exists()


DYING_REMOVAL = """
import os, sys
from pathlib import Path
from dayfly.machines.process import ProcessRuntime

home, environment, name, deletions = sys.argv[1:]
left = [int(deletions)]

def die_at_the_last(event, _):
    if event in ("os.remove", "os.rmdir"):
        left[0] -= 1
        if not left[0]:
            os._exit(9)

sys.addaudithook(die_at_the_last)
ProcessRuntime(Path(home), environment).remove(name)
"""


def test_a_removal_that_a_crash_cut_short_is_seen_and_done_again(
    runtime: ProcessRuntime, spec: MakeSpec
) -> None:
    for deletions in range(1, 100):
        machine = runtime.launch(spec("exit 0", port=True))
        words = [str(runtime.home), runtime.environment, machine.name, str(deletions)]
        ended = subprocess.run([sys.executable, "-c", DYING_REMOVAL, *words], check=False)
        folder = runtime.home / "machines" / machine.name
        assert folder.exists() == bool(runtime.machines()) or not any(folder.iterdir()), deletions
        runtime.remove(machine.name)
        discard(folder)
        if ended.returncode == 0:
            break
    assert deletions > 5
    assert not [path for path in SHARED.iterdir() if runtime.environment in path.read_text()]


def test_what_a_crash_left_of_a_machine_that_was_only_begun_goes_with_its_name(
    runtime: ProcessRuntime,
) -> None:
    Ports(runtime.environment).reserve("shop-1-web-1")
    begun = runtime.home / "machines" / ".shop-1-web-1"
    (begun / "state").mkdir(parents=True)

    runtime.remove("shop-1-web-1")

    assert not begun.exists()
    assert not [path for path in SHARED.iterdir() if runtime.environment in path.read_text()]


def test_a_half_launched_machine_is_seen_and_removed(
    runtime: ProcessRuntime, spec: MakeSpec
) -> None:
    folders = Folders(runtime.home, runtime.environment)
    intend(spec("true", port=True), folders, Ports(runtime.environment))

    machine = runtime.machines()[0]
    assert (machine.state, machine.reason) == ("exited", "was never started")
    runtime.stop(machine.name, 1)
    runtime.remove(machine.name)
    assert runtime.machines() == ()


@pytest.mark.parametrize(("start", "boot"), [("1", None), (None, "another-boot")])
def test_a_pid_that_another_process_has_by_now_is_not_ours(
    runtime: ProcessRuntime, spec: MakeSpec, start: str | None, boot: str | None
) -> None:
    runtime.launch(spec("exit 0"))
    wait_until(lambda: is_ended(runtime), seconds=5, what="the end")
    me = proc.fact(os.getpid())
    assert me is not None
    words = [str(os.getpid()), start or str(me.start), boot or proc.boot()]
    (runtime.home / "machines" / "shop-1-web-1" / "pid").write_text(" ".join(words))

    assert is_ended(runtime)
    runtime.stop("shop-1-web-1", 0.1)


def test_after_a_reboot_all_have_ended(runtime: ProcessRuntime, spec: MakeSpec) -> None:
    """Nobody saw the end, and it says so."""
    runtime.launch(spec("exec sleep 60"))
    folder = runtime.home / "machines" / "shop-1-web-1"
    for pid in runtime.pids("shop-1-web-1"):
        os.kill(pid, signal.SIGKILL)
    (folder / "state" / "status").unlink(missing_ok=True)
    wait_until(lambda: is_ended(runtime), seconds=5, what="the end")

    assert "host was restarted" in runtime.machines()[0].reason


def test_without_a_cgroup_daemons_are_found_by_their_mark(
    runtime: ProcessRuntime, spec: MakeSpec, environment: str, tmp_path: Path
) -> None:
    runtime.launch(spec("setsid setsid sleep 62 & echo up; exec sleep 62"))
    folder = runtime.home / "machines" / "shop-1-web-1"
    session = Session("shop-1-web-1", folder, cgroup.Cgroups(environment, root=tmp_path))

    def agreed() -> bool:
        """Both see the shim, the app and, once its forks have settled, the daemon."""
        return len(pids := session.pids()) == 3 and set(pids) == set(runtime.pids("shop-1-web-1"))

    wait_until(agreed, seconds=5, what="the daemon")
    pids = session.pids()

    session.end(2, alone=True)
    assert session.pids() == ()
    assert not [pid for pid in pids if proc.alive(pid)]


def test_without_a_cgroup_all_processes_are_paused_by_signals(
    runtime: ProcessRuntime, spec: MakeSpec, environment: str, tmp_path: Path
) -> None:
    runtime.launch(spec("setsid setsid sleep 62 & echo up; exec sleep 62"))
    folder = runtime.home / "machines" / "shop-1-web-1"
    session = Session("shop-1-web-1", folder, cgroup.Cgroups(environment, root=tmp_path))
    wait_until(lambda: len(session.pids()) == 3, seconds=5, what="the daemon")

    def states() -> set[str]:
        return {fact.state for pid in session.pids() if (fact := proc.fact(pid))}

    session.pause()
    assert (session.paused, states()) == (True, {"T"})
    session.resume()
    wait_until(lambda: states() == {"S"}, seconds=5, what="all go on")
    assert not session.paused
    session.pause()
    session.end(2, alone=True)
    assert session.pids() == ()


@root
@pytest.mark.parametrize("free", [0, 4096, 8192])
def test_a_full_disk_is_told_and_leaves_nothing(environment: str, free: int) -> None:
    disk = Path(f"/var/tmp/dayfly-disk-{environment}")
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "none", disk], check=True)
    runtime = ProcessRuntime(disk, environment)
    try:
        image = disk / "image" / "app"
        image.mkdir(parents=True)
        (disk / "ballast").write_bytes(b"x" * (65536 - free))
        tree = Image(
            key="1", app="shop", commit="c", runtime="process", reference=str(image.parent), size=1
        )
        wanted = Spec(
            name="m",
            app="shop",
            release=1,
            process="web",
            image=tree,
            run="true",
            port=True,
        )
        with pytest.raises(MachineError, match="No space left"):
            runtime.launch(wanted)
        assert runtime.machines() == ()
        reserved = [path.read_text() for path in SHARED.glob("[0-9]*")]
        assert f"{environment} m" not in reserved
    finally:
        runtime.remove("m")
        subprocess.run(["umount", disk], check=True)
        disk.rmdir()


def test_a_link_in_the_place_of_a_log_is_not_kept(runtime: ProcessRuntime, spec: MakeSpec) -> None:
    """A machine can't make the server read a file for it."""
    runtime.launch(spec("ln -s /etc/shadow log/a.log; echo b > log/b.log", log_files=("log/*",)))
    wait_until(lambda: is_ended(runtime), seconds=5, what="the end")
    runtime.remove("shop-1-web-1")

    kept = runtime.output("shop-1-web-1") / "files" / "log"
    assert [path.name for path in kept.iterdir()] == ["b.log"]


@pytest.mark.parametrize(
    ("globs", "places"),
    [
        ([], ()),
        (["log/*.log"], ("log",)),
        (["log/*.log", "log/old/a.log", "app.log"], ("app.log", "log")),
        (["var/log/app/*.txt"], ("var/log/app",)),
        (["var/*/app.log"], ("var",)),
    ],
)
def test_where_log_files_are_written(globs: list[str], places: tuple[str, ...]) -> None:
    assert log_places(globs) == places


@pytest.mark.parametrize("glob", ["*.log", "**/a.log", "/var/log/x", "../x"])
def test_log_files_that_can_not_be_kept_are_refused(glob: str) -> None:
    with pytest.raises(MachineError):
        log_places([glob])


def test_a_file_at_the_top_can_be_a_log(runtime: ProcessRuntime, spec: MakeSpec) -> None:
    runtime.launch(spec("echo one >> app.log", log_files=("app.log",)))
    wait_until(lambda: is_ended(runtime), seconds=5, what="the end")
    runtime.remove("shop-1-web-1")
    assert (runtime.output("shop-1-web-1") / "files" / "app.log").read_text() == "one\n"


def test_the_image_stays_as_it_was(runtime: ProcessRuntime, spec: MakeSpec, tree: Image) -> None:
    """Also where a machine writes into its copy of it."""
    before = _state(tree.tree)
    runtime.run(
        spec("echo x > cache/seed; chmod 777 cache/seed", writable=("cache",)), on_line=print
    )
    assert _state(tree.tree) == before


def _state(folder: Path) -> list[tuple[str, int, int, str]]:
    return [
        (
            str(path),
            path.stat().st_mode,
            path.stat().st_uid,
            path.read_text() if path.is_file() else "",
        )
        for path in sorted(folder.rglob("*"))
    ]


@pytest.mark.parametrize(
    ("version", "memory", "cpus", "expected"),
    [
        (1, None, None, {"pids.max": "4096"}),
        (
            1,
            1000,
            0.5,
            {
                "pids.max": "4096",
                "memory.limit_in_bytes": "1000",
                "memory.memsw.limit_in_bytes": "1000",
                "cpu.cfs_period_us": "100000",
                "cpu.cfs_quota_us": "50000",
            },
        ),
        (
            2,
            1000,
            2,
            {
                "pids.max": "4096",
                "memory.max": "1000",
                "memory.swap.max": "0",
                "memory.oom.group": "0",
                "cpu.max": "200000 100000",
            },
        ),
    ],
)
def test_limits(
    version: int, memory: int | None, cpus: float | None, expected: dict[str, str]
) -> None:
    wanted = cgroup.limits(version, memory, cpus)
    assert {name: text for files in wanted.values() for name, text in files.items()} == expected


@pytest.fixture
def unified(environment: str) -> Iterator[cgroup.Cgroups]:
    """The version-2 hierarchy of this host, with whatever controllers it has."""
    for folder in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")):
        if os.geteuid() == 0 and (folder / "cgroup.controllers").exists():
            yield cgroup.Cgroups(environment, root=folder)
            return
    pytest.skip("no cgroup version 2 that we may write")


def test_version_two_holds_and_kills_processes(unified: cgroup.Cgroups) -> None:
    unified.create("m", None, None)
    with subprocess.Popen(["sleep", "60"]) as sleeper:
        unified.add("m", sleeper.pid)
        assert unified.pids("m") == (sleeper.pid,)
        assert not unified.out_of_memory("m")
        freezer = unified.freezer("m")
        assert freezer is not None
        halt(freezer, "m")
        assert freezer.frozen
        freezer.thaw()
        wait_until(lambda: not freezer.frozen, seconds=5, what="it goes on")
        halt(freezer, "m")
        unified.kill("m")
    unified.remove("m")
    assert not unified.folders("m")[""].parent.exists()


def test_ports_go_round(tmp_path: Path) -> None:
    """A freed port rests until all others were used."""
    ports = Ports("env", shared=tmp_path / "ports", first=23001, last=23004)
    first = ports.reserve("a")
    ports.free("a")
    second = ports.reserve("b")
    assert second > first
    assert list(circle(1, 4, 3)) == [3, 4, 1, 2]


def test_ports_in_use_are_passed_over(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        if taken >= 32768:
            ports = Ports("env", shared=tmp_path / "ports", first=taken, last=taken)
            with pytest.raises(MachineError, match="no free port"):
                ports.reserve("a")


def test_a_secret_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs another user")
    (tmp_path / "dayfly-env").mkdir()
    os.chown(tmp_path / "dayfly-env", 12345, 12345)
    with pytest.raises(MachineError, match="belongs to user 12345"):
        secret_folder(tmp_path, "env")


def test_last_lines_of_much_output(tmp_path: Path) -> None:
    (tmp_path / "output.log").write_bytes(b"x" * 1_000_000 + b"\n\xff two\n")
    assert last_lines(tmp_path).splitlines()[-1] == "\ufffd two"
    assert len(last_lines(tmp_path)) < 100_000
    assert last_lines(tmp_path / "nowhere") == ""


@root
def test_without_a_limit_of_cpu_a_machine_weighs_as_much_as_any_process(tmp_path: Path) -> None:
    """In a cgroup all machines of the environment together would count as one process."""
    for controller in cgroup.CONTROLLERS:
        (tmp_path / controller).mkdir()
    groups = cgroup.Cgroups("e0", tmp_path)

    groups.create("free", None, None)
    groups.create("limited", None, 0.5)

    assert [path.name for path in (tmp_path / "cpu").glob("*/*")] == ["limited"]
    assert {path.name for path in (tmp_path / "pids").glob("*/*")} == {"free", "limited"}
