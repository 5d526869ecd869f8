"""Images beside the same steps by hand, and what starts of them: process, container, VM."""

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from urllib.request import urlopen

from bench import vms
from bench.docker import docker, missing
from bench.row import Row, Skipped, at_most, median, times
from bench.vms import BUILT, MEGABYTE, told
from dayfly.clock import wait_until
from dayfly.command import Setting, output_of
from dayfly.config.app import App, Process
from dayfly.config.image import ImageRecipe, Provision
from dayfly.config.inherited import inherited_for_builds
from dayfly.images.base import BASE, TOOLS
from dayfly.images.container import ContainerBuilder
from dayfly.images.dockerfile import CA_BUNDLE, arguments_of, ca_bundle_of
from dayfly.images.image import Image
from dayfly.images.tree import TreeBuilder
from dayfly.machines.docker import DockerRuntime
from dayfly.machines.machine import Runtime, Spec
from dayfly.machines.process import ProcessRuntime
from dayfly.machines.uids import uid_for
from workshop import STEPS, Workshop, tree_builder, workshop

ENVIRONMENT = f"bench{uuid.uuid4().hex[:6]}"
RUN = "python3 app.py"
APP = """\
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
"""
MADE = ("xxd",)
TOLD = {"package": MADE[0], "step": STEPS[0], "run": RUN}  # a playbook, of the same
WORKER = "useradd --system worker"
_INSTALL = "apt-get -qq update && apt-get -qq install -y --no-install-recommends"
BY_HAND = f"""\
FROM {BASE} AS machine
{{begin}}
RUN {_INSTALL} {" ".join(MADE)} && rm -rf /var/lib/apt/lists/*
RUN {WORKER}
FROM machine AS build
{{begin}}
RUN {_INSTALL} {" ".join(TOOLS)} && rm -rf /var/lib/apt/lists/*
RUN python3 -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /app
COPY requirements.txt /app/
RUN {" && ".join(STEPS)}
COPY app.py /app/
RUN python3 -m compileall -qq .
FROM machine
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
USER 10001
"""


def measure(rounds: int) -> Iterator[Row | Skipped]:
    with workshop("process") as shop:
        shop.builder = _for_machines(shop)
        image = shop.build(_app(shop))
        yield _changes(shop, rounds)
        yield from _started(shop, image, rounds)
    if why := missing():
        yield Skipped(BUILT, why)
        return
    with workshop("docker") as shop:
        shop.build(_app(shop))
        yield _cold(shop, min(rounds, 5))
        yield _changes_beside_docker(shop, rounds)
        image = shop.build(_app(shop))
        yield from _started(shop, image, rounds)
        yield from vms.measure(shop, _app(shop), image, min(rounds, 3), TOLD)


def _for_machines(shop: Workshop) -> TreeBuilder:
    """As an environment builds: by the user that the app's machines run as, who may read it."""
    builder = tree_builder(shop.home)
    if os.geteuid() == 0:
        builder = replace(builder, uid=lambda app: uid_for(shop.home, ENVIRONMENT, app) or 0)
    return builder


def _app(shop: Workshop, **env: str) -> App:
    shop.project.write("app.py", f"{APP}# {uuid.uuid4()}\n")
    recipe = ImageRecipe()
    if isinstance(shop.builder, ContainerBuilder):
        recipe = ImageRecipe(provision=(Provision(packages=MADE), Provision(shell=WORKER)))
    return replace(shop.app(*STEPS, env=env), image=recipe, process={"web": Process(run=RUN)})


def _cold(shop: Workshop, rounds: int) -> Row:
    """Nothing but the base is there, on both sides; a new variable makes docker know no step."""
    ours, floors = [], []
    for turn in range(rounds):
        for side in ("hand", "dayfly") if turn % 2 else ("dayfly", "hand"):
            if side == "hand":
                floors.append(_by_hand(shop, name := _hand_name(), "--no-cache"))
                docker("image", "rm", name)
            else:
                shop.builder.clear()
                app = _app(shop, TURN=f"{turn}-{uuid.uuid4()}")
                ours.append(_timed(partial(shop.build, app)))
    note = (
        f"packages, shell, pip, the app; by hand: docker build --no-cache; {rounds} turns, of which"
        f" each side begins every other; ours from a commit, with its checkout; {_each(ours)}"
        f" beside {_each(floors)} s"
    )
    return times(BUILT, "cold build", ours, floors, "s", 1.1, note=note)


def _each(seconds: list[float]) -> str:
    return ", ".join(f"{each:.1f}" for each in seconds)


def _hand_name() -> str:
    return f"bench-by-hand:{uuid.uuid4().hex}"


def _by_hand(shop: Workshop, name: str, *how: str) -> float:
    """How long somebody with a Dockerfile waits for an image of this name."""
    known = arguments_of(inherited_for_builds(), {})
    passed = {
        variable: known[variable]
        for variable in known
        if ca_bundle_of(inherited_for_builds()) or known[variable] != CA_BUNDLE
    }
    place = shop.home / "by-hand"
    place.mkdir(exist_ok=True)
    for file in ("app.py", "requirements.txt"):
        shutil.copy(shop.project.folder / file, place)
    dockerfile = place / "Dockerfile"
    begin = [f"ARG {' '.join(sorted(passed))}"] if passed else []
    if bundle := ca_bundle_of(inherited_for_builds()):
        shutil.copy(bundle, place / "ca.crt")
        begin.append(f"COPY ca.crt {CA_BUNDLE}")
    dockerfile.write_text(BY_HAND.format(begin="\n".join(begin)))
    words = [f"--build-arg={variable}={value}" for variable, value in passed.items()]
    argv = [
        "env", "DOCKER_BUILDKIT=0", "docker", "build", "--quiet", *how, "--network=host",
        "--force-rm", f"--file={dockerfile}", f"--tag={name}", *words, ".",
    ]  # fmt: skip
    return _timed(lambda: output_of(argv, setting=Setting(cwd=place), seconds=600))


def _changes(shop: Workshop, rounds: int) -> Row:
    seconds = [_changed(shop) for _ in range(rounds)]
    return at_most(BUILT, "a change of code, process runtime", median(seconds), "s", 3)


def _changes_beside_docker(shop: Workshop, rounds: int) -> Row:
    """By hand, too, docker knows again what lies below the code."""
    names = [_hand_name() for _ in range(rounds + 1)]
    _by_hand(shop, names[0])
    shop.build(_app(shop))  # with the settings of those to come: cold builds have a variable more
    seconds, by_hand = [], []
    for name in names[1:]:
        seconds.append(_changed(shop))
        by_hand.append(_by_hand(shop, name))
    docker("image", "rm", *names)
    note = f"docker build by hand, with what it knows: {median(by_hand):.2f} s"
    what = "a change of code, docker runtime"
    return at_most(BUILT, what, median(seconds), "s", 3, note=note)


def _changed(shop: Workshop) -> float:
    """From a commit that changes code alone to its image."""
    app = _app(shop)
    shop.project.commit()
    return _timed(lambda: shop.build(app))


def _started(shop: Workshop, image: Image, rounds: int) -> Iterator[Row]:
    runtime: Runtime
    if image.runtime == "docker":
        runtime = DockerRuntime(shop.home, ENVIRONMENT)
    else:
        runtime = ProcessRuntime(shop.home, ENVIRONMENT)
    found = list[tuple[float, float]]()
    for number in range(rounds):
        with _machine(runtime, image, number) as each:
            found.append(each)
    what = "container" if image.runtime == "docker" else "process"
    yield from told(what, found, "of its processes")


@contextmanager
def _machine(runtime: Runtime, image: Image, number: int) -> Iterator[tuple[float, float]]:
    spec = Spec(
        name=f"orders-1-web-{number}", app="orders", release=1, process="web", image=image,
        run=RUN, port=True,
    )  # fmt: skip
    began = time.monotonic()
    machine = runtime.launch(spec)
    try:
        wait_until(
            lambda: _answers(f"http://{machine.address}/"), seconds=60, what="ready", poll=0.005
        )
        took = time.monotonic() - began
        usage = runtime.usage(machine.name)
        yield took, (usage.memory if usage else 0) / MEGABYTE
    finally:
        runtime.remove(machine.name)


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=1) as answer:
            return bool(answer.status)
    except OSError:
        return False


def _timed(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began
