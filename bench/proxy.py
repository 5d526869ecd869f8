"""What a request costs through Dayfly's HAProxy, beside a hand-written minimal one."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import byhand
from bench.memory import cpu
from bench.repository import begin
from bench.row import Row, Skipped, median, times
from bench.world import World
from dayfly.balancer.program import find_program
from dayfly.command import which

PART = "the proxy"
SECONDS = 1
TURNS = 3  # in each round: a second of load is short, and two CPUs are shared by all that runs
MEASURES: tuple[tuple[str, Callable[["Run"], float], str, float], ...] = (
    ("CPU of the proxy for a request", lambda run: run.cpu, "µs", 1.1),
    ("p50", lambda run: run.p50, "ms", 1.1),
    ("p99", lambda run: run.p99, "ms", 1.2),
)
ANSWER = """\
defaults
  mode http
  timeout client 60s
frontend web
  bind "127.0.0.1:${{PORT}}"
  http-request return status 200 content-type text/plain string "{body}"
"""
SETTINGS = """\
app = "answer"
[process.web]
run      = "exec {haproxy} -db -f answer.cfg"
machines = 1
health   = {{ path = "/", passes = 1, interval = "100ms", deadline = "10s" }}
[release]
watch = "0s"
"""


@dataclass(frozen=True)
class Proxy:
    port: int
    pid: int


@dataclass(frozen=True)
class Run:
    per_second: float
    cpu: float  # µs of the proxy for each request
    p50: float  # ms
    p99: float  # ms


def measure(world: World, rounds: int) -> list[Row | Skipped]:
    """The same HAProxy program and the same backend, which is a HAProxy that answers itself."""
    wrk = which("wrk")
    if wrk is None:
        return [Skipped(PART, "wrk is not installed (apt-get install wrk)")]
    world.release(checkout(world.folder / "answer"))
    port = int(answering(world).rsplit(":", 1)[1])
    rows: list[Row | Skipped] = []
    with (
        byhand.balancer(world.folder / "minimal", 1) as minimal,
        byhand.balancer(world.folder / "usual", 1, usual=True) as usual,
    ):
        minimal.flip([port])
        usual.flip([port])
        proxies = {
            "ours": Proxy(world.http, world.pids()["HAProxy"]),
            "minimal": Proxy(minimal.port, minimal.pid),
            "usual": Proxy(usual.port, usual.pid),
        }
        for connections in (1, 64):
            runs: dict[str, list[Run]] = {name: [] for name in proxies}
            for _ in range(rounds * TURNS):
                for name, proxy in proxies.items():
                    runs[name].append(load(wrk, proxy, connections))
            rows += told(runs, connections)
    return rows


def checkout(folder: Path) -> Path:
    folder.mkdir()
    haproxy = str(Path(find_program(None)).resolve())
    (folder / "answer.cfg").write_text(ANSWER.format(body="x" * 1024))
    (folder / "dayfly.toml").write_text(SETTINGS.format(haproxy=haproxy))
    begin(folder)
    return folder


def answering(world: World) -> str:
    apps_now = world.client.get("/api/status")["apps"]
    serving = next(each["serving"] for each in apps_now if each["app"] == "answer")
    return str(serving["machines"][0]["address"])


def load(wrk: str, proxy: Proxy, connections: int) -> Run:
    threads = min(connections, 2)
    words = ["-t", str(threads), "-c", str(connections), "-d", str(SECONDS), "--latency"]
    before = cpu(proxy.pid)
    done = subprocess.run(
        [wrk, *words, f"http://127.0.0.1:{proxy.port}/"], capture_output=True, text=True, check=True
    )
    return read(done.stdout, cpu(proxy.pid) - before)


def read(said: str, seconds: float) -> Run:
    """What wrk prints; `seconds` is the CPU that the proxy took."""
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(f"not all requests were answered: {said}")
    found = re.search(r"(\d+) requests in .*Requests/sec:\s+([\d.]+)", said, re.DOTALL)
    assert found
    return Run(
        per_second=float(found[2]),
        cpu=seconds / int(found[1]) * 1e6,
        p50=_latency(said, "50%"),
        p99=_latency(said, "99%"),
    )


def _latency(said: str, which_one: str) -> float:
    found = re.search(rf"{which_one}\s+([\d.]+)(us|ms|s)\b", said)
    assert found
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


def told(runs: dict[str, list[Run]], connections: int) -> list[Row]:
    """Judged against a HAProxy as production has it; beside a minimal one it is told."""
    where = f"{connections} connection{'s' * (connections > 1)}"
    ours, usual, minimal = runs["ours"], runs["usual"], runs["minimal"]
    rates = {name: median([run.per_second for run in found]) for name, found in runs.items()}
    note = ", ".join(f"{name} {rate:,.0f}" for name, rate in rates.items())
    rows = []
    for what, value, unit, most in MEASURES:
        row = times(
            PART,
            f"{what}, {where}",
            [value(run) for run in ours],
            [value(run) for run in usual],
            unit,
            most,
            note=f"beside a minimal HAProxy: {median([value(run) for run in minimal]):.3g} {unit}",
        )
        rows.append(row)
    return [
        *rows,
        Row(
            part=PART,
            what=f"requests per second, {where}",
            ours=rates["ours"],
            floor=rates["usual"],
            unit="/s",
            note=note,
        ),
    ]
