"""What holds for a machine of every runtime."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from dayfly.clock import Stop, wait_until
from dayfly.errors import DayflyError, StoppedError
from dayfly.images.image import Image
from dayfly.machines import proc
from dayfly.machines.collected import Collect
from dayfly.machines.docker import DockerRuntime
from dayfly.machines.machine import Machine, MachineError, Runtime, Spec
from dayfly.machines.output import last_lines
from dayfly.machines.ports import SHARED, Ports
from dayfly.machines.process import ProcessRuntime

MakeSpec = Callable[..., Spec]

SERVER = "exec python3 -m http.server --bind 0.0.0.0 $PORT"
# Lines are written whole, as a pause may come in between, and by the system itself: the signal may
# come before a `print` has returned, and no other can begin in it.
FINISHES = """python3 -c 'import os,signal,time
def end(*_): time.sleep(0.5); os.write(1, b"bye\\n"); os._exit(7)
signal.signal(signal.SIGTERM, end); os.write(1, b"up\\n"); time.sleep(60)'"""
IGNORES_TERM = "trap '' TERM; while :; do sleep 0.2; done"


def the(runtime: Runtime, name: str = "shop-1-web-1") -> Machine:
    return next(machine for machine in runtime.machines() if machine.name == name)


def ended(runtime: Runtime, name: str = "shop-1-web-1") -> Machine:
    wait_until(lambda: the(runtime, name).state == "exited", seconds=10, what=f"end of {name}")
    return the(runtime, name)


def told(runtime: Runtime, spec: Spec) -> list[str]:
    lines: list[str] = []
    assert runtime.run(spec, on_line=lines.append) == 0, lines
    return lines


def wrote(runtime: Runtime, text: str, name: str = "shop-1-web-1") -> None:
    wait_until(
        lambda: text in last_lines(runtime.output(name)), seconds=10, what=f"{name} to say {text}"
    )


def again(runtime: Runtime) -> Runtime:
    """As a server that was started anew sees it."""
    kind = type(runtime)
    assert kind in {ProcessRuntime, DockerRuntime}
    return kind(runtime.home, runtime.environment)  # type: ignore[attr-defined, call-arg]


def test_a_launched_machine_runs_at_its_own_address(runtime: Runtime, spec: MakeSpec) -> None:
    machine = runtime.launch(spec(SERVER, port=True))

    assert (machine.state, machine.app, machine.release) == ("running", "shop", 1)
    assert machine.address is not None
    host, port = machine.address.split(":")
    assert 20000 <= int(port) <= 31999

    def answers() -> bool:
        with socket.socket() as client:
            return client.connect_ex((host, int(port))) == 0

    wait_until(answers, seconds=10, what="an answer")
    assert proc.listening(runtime.pids(machine.name)) == {int(port)}
    usage = runtime.usage(machine.name)
    assert usage is not None
    assert 1_000_000 < usage.memory < 200_000_000
    assert usage.cpu > 0


def test_a_machine_knows_who_it_is(runtime: Runtime, spec: MakeSpec) -> None:
    lines = told(runtime, spec("env", env={"COLOUR": "blue"}))

    assert {
        "DAYFLY_APP=shop",
        "DAYFLY_RELEASE=1",
        "DAYFLY_PROCESS=web",
        "DAYFLY_MACHINE=shop-1-web-1",
        "COLOUR=blue",
    } <= set(lines)
    assert not [line for line in lines if line.startswith(("DAYFLY_RUN", "DAYFLY_GATE"))]


@pytest.mark.parametrize(
    "secret", ["plain", 'it\'s "quoted"', "two\nlines\n", "größer ☃ $HOME `id` \\n", "", "-n"]
)
def test_a_secret_arrives_as_it_is(runtime: Runtime, spec: MakeSpec, secret: str) -> None:
    program = "import os; print(ascii(os.environ['KEY']))"
    lines = told(runtime, spec(f'python3 -c "{program}"', secrets={"KEY": secret}))

    assert lines == [ascii(secret)]


def test_a_secret_shows_nowhere(runtime: Runtime, spec: MakeSpec, home: Path) -> None:
    """Not in process lists, not in what docker tells, not on disk; and it is gone afterwards."""
    secret = "very-private-7391"
    machine = runtime.launch(spec("exec sleep 60", secrets={"KEY": secret}))
    launch = Path("/dev/shm", f"dayfly-{runtime.environment}", machine.name)  # type: ignore[attr-defined]

    assert secret not in subprocess.check_output(["ps", "axww"], text=True)
    assert subprocess.run(["grep", "-r", secret, home], check=False).returncode == 1
    assert secret in launch.read_text()
    assert launch.stat().st_mode & 0o777 == 0o400
    if isinstance(runtime, DockerRuntime):
        name = f"dayfly-{runtime.environment}-{machine.name}"
        assert secret not in subprocess.check_output(["docker", "inspect", name], text=True)

    runtime.remove(machine.name)
    assert not launch.parent.exists()


@pytest.mark.parametrize("name", ["1A", "A-B", "A B", "$(id)", ""])
def test_a_name_no_variable_can_have_is_refused(
    runtime: Runtime, spec: MakeSpec, name: str
) -> None:
    with pytest.raises(MachineError, match="name of a variable"):
        runtime.launch(spec("true", env={name: "x"}))
    assert runtime.machines() == ()


@pytest.mark.parametrize(
    ("run", "status", "reason"),
    [
        ("exit 0", 0, "exit status 0"),
        ("exit 3", 3, "exit status 3"),
        ("no-such-program --at all", 127, "exit status 127 (command not found)"),
        ("./hello.sh", 126, "exit status 126 (not executable)"),
        ("kill -KILL $$", 137, "SIGKILL"),
        ("kill -SEGV $$", 139, "SIGSEGV"),
    ],
)
def test_how_a_machine_ended_is_known_to_a_later_server(
    runtime: Runtime, spec: MakeSpec, run: str, status: int, reason: str
) -> None:
    runtime.launch(spec(run, kind="job"))
    machine = ended(again(runtime))

    assert (machine.status, machine.reason) == (status, reason)


def test_machines_are_found_again(runtime: Runtime, spec: MakeSpec) -> None:
    """A new server, knowing nothing, sees the same machines, and can end them."""
    before = [runtime.launch(spec("exec sleep 60", name=f"shop-1-web-{n}")) for n in (1, 2)]
    other = again(runtime)

    assert other.machines() == tuple(before)
    other.stop("shop-1-web-1", 5)
    other.remove("shop-1-web-1")
    assert [machine.name for machine in runtime.machines()] == ["shop-1-web-2"]


def test_another_environment_touches_nothing(runtime: Runtime, spec: MakeSpec, home: Path) -> None:
    """Even in the same home and with the same names."""
    machine = runtime.launch(spec("exec sleep 60"))
    stranger = type(runtime)(home, "00000000")  # type: ignore[call-arg]

    assert stranger.machines() == ()
    stranger.pause(machine.name)
    stranger.stop(machine.name, 1)
    stranger.remove(machine.name)
    assert stranger.pids(machine.name) == ()
    assert stranger.usage(machine.name) is None
    assert (the(runtime).state, the(runtime).paused) == ("running", False)


@pytest.mark.parametrize(
    ("run", "status"),
    [
        (FINISHES, 7),
        (f"exec {FINISHES}", 7),
        (f"COLOUR=blue {FINISHES}", 7),
        (f"cd package && {FINISHES}", 143),
        (f"{FINISHES}; echo after", 143),
    ],
)
def test_stop_lets_the_app_finish(runtime: Runtime, spec: MakeSpec, run: str, status: int) -> None:
    """However the shell is used to start it."""
    runtime.launch(spec(run))
    wrote(runtime, "up")

    runtime.stop("shop-1-web-1", 10)

    assert last_lines(runtime.output("shop-1-web-1")).splitlines() == ["up", "bye"]
    assert (the(runtime).state, the(runtime).status) == ("exited", status)
    runtime.stop("shop-1-web-1", 10)
    runtime.stop("nobody", 1)


def test_what_ignores_sigterm_is_killed(runtime: Runtime, spec: MakeSpec) -> None:
    runtime.launch(spec(f"echo up; {IGNORES_TERM}"))
    wrote(runtime, "up")
    started = time.monotonic()

    runtime.stop("shop-1-web-1", 1)

    assert time.monotonic() - started > 0.9
    assert the(runtime).reason == "SIGKILL"


def test_daemons_end_with_their_machine(runtime: Runtime, spec: MakeSpec) -> None:
    """Also those that left their session and lost their parent."""
    run = "setsid nohup sh -c 'setsid sleep 61 & sleep 61' & echo up; exec sleep 61"
    runtime.launch(spec(run))
    wrote(runtime, "up")
    wait_until(lambda: len(runtime.pids("shop-1-web-1")) >= 4, seconds=5, what="the daemons")
    pids = runtime.pids("shop-1-web-1")

    runtime.stop("shop-1-web-1", 3)

    assert not [pid for pid in pids if proc.alive(pid)]


def test_removal_frees_all_but_the_output(
    runtime: Runtime, spec: MakeSpec, home: Path, environment: str
) -> None:
    machine = runtime.launch(
        spec("echo hello; echo x > log/app.log; exec sleep 60", port=True, log_files=("log/*.log",))
    )
    wrote(runtime, "hello")
    log = runtime.output(machine.name) / "files" / "log" / "app.log"
    wait_until(log.exists, seconds=5, what=str(log))

    runtime.remove(machine.name)
    runtime.remove(machine.name)

    assert runtime.machines() == ()
    assert not list((home / "machines").iterdir())
    assert last_lines(runtime.output(machine.name)) == "hello"
    assert log.read_text() == "x\n"
    assert not [path for path in SHARED.glob("[0-9]*") if environment in path.read_text()]
    assert not Path("/dev/shm", f"dayfly-{environment}").exists()
    assert not list(Path("/sys/fs/cgroup").glob(f"*/dayfly-{environment}"))


def test_an_app_writes_only_where_it_may(runtime: Runtime, spec: MakeSpec, home: Path) -> None:
    """Kept directories outlive the machine, writable paths are its own, the rest is the image."""
    run = """
        cat package/data.txt cache/seed
        echo kept > uploads/new && echo own > cache/new && echo fresh > var/run/new && cat cache/new
        echo own > out/part/new && echo done > out/a.csv && cat out/part/new
        echo tmp > /tmp/$$ && echo home > ~/file
        echo bad > package/data.txt || echo refused
        echo bad > package/new || echo refused
        echo bad > new || echo refused
    """
    wanted = spec(
        run,
        keep={"uploads": home / "keep" / "uploads"},
        writable=("cache", "var/run", "out/part"),
        collect=Collect(bucket="shop", places={"out/*.csv": "batch/"}),
    )
    for _ in range(2):
        lines = [line for line in told(runtime, wanted) if "cannot create" not in line]
        assert lines == ["of the image", "seed", "own", "own", "refused", "refused", "refused"]
    assert (home / "keep" / "uploads" / "new").read_text() == "kept\n"


def test_paths_found_through_the_program_are_the_machines_own(
    runtime: Runtime, spec: MakeSpec, home: Path
) -> None:
    """`BASE_DIR / "uploads"` is the kept directory, as the working directory's is."""
    program = (
        "from pathlib import Path;"
        "print(Path('package/data.txt').resolve().parent.parent == Path.cwd())"
    )
    assert told(runtime, spec(f'python3 -c "{program}"')) == ["True"]


@pytest.mark.parametrize("path", ["../x", "/etc", "a/../../b", ""])
def test_a_path_outside_the_app_is_refused(runtime: Runtime, spec: MakeSpec, path: str) -> None:
    with pytest.raises(MachineError, match="below the app's folder"):
        runtime.launch(spec("true", writable=(path,)))
    assert runtime.machines() == ()


def test_a_name_is_given_once(runtime: Runtime, spec: MakeSpec) -> None:
    runtime.launch(spec("exec sleep 60"))
    with pytest.raises(MachineError, match="exists already"):
        runtime.launch(spec("exec sleep 60"))
    assert the(runtime).state == "running"


@pytest.mark.parametrize("name", ["../etc", "", "a/b", ".hidden", "A"])
def test_a_name_is_no_path(runtime: Runtime, spec: MakeSpec, name: str) -> None:
    with pytest.raises(MachineError, match="name of a machine"):
        runtime.launch(spec("true", name=name))


def test_a_missing_image_is_named(runtime: Runtime, home: Path) -> None:
    image = (
        Image(key="x", app="shop", commit="c", runtime=runtime.name, reference="/nowhere", size=0)
        if runtime.name == "process"
        else Image(
            key="x",
            app="shop",
            commit="c",
            runtime=runtime.name,
            reference="sha256:" + "0" * 64,
            size=0,
        )
    )
    wanted = Spec(name="m", app="shop", release=1, process="web", image=image, run="true")
    with pytest.raises(MachineError, match="image of m is gone"):
        runtime.launch(wanted)
    assert runtime.machines() == ()
    assert not list((home / "machines").iterdir())


def test_one_off_lines_come_while_it_runs(runtime: Runtime, spec: MakeSpec, home: Path) -> None:
    seen: list[tuple[str, float]] = []
    status = runtime.run(
        spec("echo one; sleep 1; printf two; exit 4", name="once"),
        on_line=lambda line: seen.append((line, time.monotonic())),
    )

    assert status == 4
    assert [line for line, _ in seen] == ["one", "two"]
    assert seen[1][1] - seen[0][1] > 0.5
    assert runtime.machines() == ()
    assert not runtime.output("once").exists()


def test_a_one_off_can_be_stopped(runtime: Runtime, spec: MakeSpec) -> None:
    stop = Stop()
    threading.Timer(0.7, stop.request, ["enough"]).start()
    with pytest.raises(StoppedError, match="enough"):
        runtime.run(spec("exec sleep 60"), on_line=print, stop=stop)
    assert runtime.machines() == ()


def test_a_one_off_has_a_deadline(runtime: Runtime, spec: MakeSpec) -> None:
    with pytest.raises(DayflyError, match=r"not done within 0.7 s"):
        runtime.run(spec("exec sleep 60"), on_line=print, seconds=0.7)
    assert runtime.machines() == ()


def test_huge_output_without_an_end_of_line(runtime: Runtime, spec: MakeSpec) -> None:
    seen: list[str] = []
    runtime.run(spec("python3 -c \"print('x' * 5_000_000, end='')\""), on_line=seen.append)
    assert sum(map(len, seen)) == 5_000_000
    assert max(map(len, seen)) <= 65536


def test_out_of_memory_is_told(runtime: Runtime, spec: MakeSpec) -> None:
    if isinstance(runtime, ProcessRuntime) and runtime.notes:
        pytest.skip(runtime.notes[0])
    runtime.launch(
        spec("python3 -c 'x = bytearray(300_000_000)'", memory=64 * 1024 * 1024, kind="job")
    )
    machine = ended(runtime)

    assert machine.reason == "out of memory"
    assert machine.status == 137


def test_fifty_side_by_side(runtime: Runtime, spec: MakeSpec) -> None:
    if runtime.name == "docker":
        pytest.skip("ten seconds of engine time prove nothing more")
    for number in range(50):
        runtime.launch(spec("exec sleep 60", name=f"shop-1-web-{number}", port=True))

    machines = runtime.machines()
    assert len(machines) == 50
    assert len({machine.address for machine in machines}) == 50


TICKS = """python3 -u -c '
import os, time
os.fork()
while True: print(os.getpid()); time.sleep(0.01)'"""


def ticks(runtime: Runtime) -> int:
    return len((runtime.output("shop-1-web-1") / "output.log").read_text().split())


def test_a_paused_machine_halts_and_goes_on(runtime: Runtime, spec: MakeSpec) -> None:
    """All of its processes; also for a server that was started meanwhile."""
    runtime.launch(spec(TICKS))
    wait_until(lambda: ticks(runtime) > 10, seconds=10, what="the first ticks")

    runtime.pause("shop-1-web-1")
    runtime.pause("shop-1-web-1")
    halted = ticks(runtime)
    time.sleep(0.3)
    assert ticks(runtime) == halted
    machine = the(again(runtime))
    assert (machine.state, machine.paused) == ("running", True)
    assert runtime.usage(machine.name) is not None

    again(runtime).resume("shop-1-web-1")
    runtime.resume("shop-1-web-1")
    wait_until(lambda: ticks(runtime) > halted + 10, seconds=10, what="more ticks")
    assert not the(runtime).paused


def test_a_paused_machine_hears_that_it_is_to_stop(runtime: Runtime, spec: MakeSpec) -> None:
    runtime.launch(spec(FINISHES))
    wrote(runtime, "up")
    runtime.pause("shop-1-web-1")

    runtime.stop("shop-1-web-1", 10)

    assert last_lines(runtime.output("shop-1-web-1")).splitlines() == ["up", "bye"]
    assert (the(runtime).state, the(runtime).status, the(runtime).paused) == ("exited", 7, False)


def test_a_paused_machine_can_be_removed(runtime: Runtime, spec: MakeSpec) -> None:
    runtime.launch(spec(TICKS))
    wait_until(lambda: ticks(runtime) > 10, seconds=10, what="the first ticks")
    runtime.pause("shop-1-web-1")
    pids = runtime.pids("shop-1-web-1")

    runtime.remove("shop-1-web-1")

    assert runtime.machines() == ()
    assert not [pid for pid in pids if proc.alive(pid)]


def test_what_does_not_run_is_neither_paused_nor_resumed(runtime: Runtime, spec: MakeSpec) -> None:
    runtime.launch(spec("exit 3"))
    ended(runtime)

    for name in ("shop-1-web-1", "nobody"):
        runtime.pause(name)
        runtime.resume(name)
    assert (the(runtime).paused, the(runtime).status) == (False, 3)


def test_a_machine_killed_from_outside_is_seen(runtime: Runtime, spec: MakeSpec) -> None:
    runtime.launch(spec("exec sleep 60"))
    for pid in runtime.pids("shop-1-web-1"):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    assert ended(runtime).state == "exited"
    wait_until(lambda: not runtime.pids("shop-1-web-1"), seconds=5, what="their end")


def test_a_machine_keeps_its_port_from_others(
    runtime: Runtime, spec: MakeSpec, environment: str
) -> None:
    """Although it does not listen on it yet."""
    machine = runtime.launch(spec("exec sleep 60", port=True))
    assert machine.address is not None
    number = int(machine.address.split(":")[1])

    with pytest.raises(MachineError, match="no free port"):
        Ports("ffffffff", first=number, last=number).reserve("other")
