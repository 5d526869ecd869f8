"""The same app in virtual machines: one of its image, and a bare one that a playbook furnishes."""

import json
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bench.row import Row, Skipped, median
from dayfly.ansible.controller import Maker, ansible
from dayfly.clock import Stop, wait_until
from dayfly.command import CommandError, Setting, output_of, which
from dayfly.config.app import App, Process
from dayfly.config.home import cache_folder
from dayfly.config.image import ImageRecipe, Provision
from dayfly.config.inherited import inherited_for_builds, inherited_with
from dayfly.environment.virtual import recipe_of
from dayfly.images.builder import BuildError
from dayfly.images.dockerfile import CA_BUNDLE, arguments_of, ca_bundle_of
from dayfly.images.image import Image
from dayfly.images.vm.disk import require_tools
from dayfly.images.vm.vm import Wanted, made
from dayfly.images.workplace import Builders
from virtual import BOOT_SECONDS, Guest, booted, has_kvm
from workshop import UID, Workshop

BUILT, STARTED = "images", "from start to ready, and memory"
MEGABYTE = 1024 * 1024
PLAYBOOK = Path(__file__).with_name("playbook.yml")
PLAY_SECONDS = 1800.0


def measure(
    shop: Workshop, app: App, image: Image, rounds: int, told_of: Mapping[str, str]
) -> Iterator[Row | Skipped]:
    """`told_of`: what the playbook is told of the same steps: package, step, run."""
    if why := _missing():
        yield Skipped(STARTED, f"VMs: {why}")
        return
    how = "KVM" if has_kvm() else "without KVM, which this machine has not: every instruction of it"
    of = f"of qemu, of 512 MB; {how}"
    with tempfile.TemporaryDirectory(dir=shop.home) as place:
        began = time.monotonic()
        disk = _disk(shop, app, image, Path(place))
        took = time.monotonic() - began
        yield Row(part=BUILT, what="a VM image of an image", ours=took, unit="s")
        yield from told("VM image", [_started(disk) for _ in range(rounds)], of)
    with tempfile.TemporaryDirectory(dir=shop.home) as place:
        shop.project.write("key.pub", _key(Path(place)))
        bare = _bare(app)
        disk = _disk(shop, bare, shop.build(bare), Path(place))
        found = [_furnished(disk, Path(place), shop, told_of)]
        yield from told("VM from nothing, with a playbook", found, f"{of}; once")


def told(what: str, found: Sequence[tuple[float, float]], of: str) -> Iterator[Row]:
    """Of pairs: seconds until it was ready, and megabytes."""
    seconds, memory = zip(*found, strict=True)
    yield Row(part=STARTED, what=f"{what}: ready after", ours=median(seconds), unit="s")
    yield Row(part=STARTED, what=f"{what}: memory", ours=median(memory), unit="MB", note=of)


def _missing() -> str:
    if which("qemu-system-x86_64") is None:
        return "qemu-system-x86 is not installed"
    try:
        require_tools()
    except BuildError as error:
        return f"{error} {error.hint}"
    return ""


def _started(disk: Path) -> tuple[float, float]:
    began = time.monotonic()
    with booted(disk) as guest:
        guest.until_healthy("/")
        return time.monotonic() - began, guest.memory() / MEGABYTE


def _bare(app: App) -> App:
    """A Debian with ssh, as one gets it: nothing of the app is in it."""
    steps = (
        Provision(packages=("openssh-server",)),
        Provision(files={"key.pub": "/root/.ssh/authorized_keys"}),
    )
    idle = {"idle": Process(run="sleep infinity")}
    return replace(app, build=replace(app.build, steps=()), image=ImageRecipe(provision=steps),
                   process=idle)  # fmt: skip


def _key(place: Path) -> str:
    output_of(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(place / "key")])
    return (place / "key.pub").read_text()


def _furnished(
    disk: Path, place: Path, shop: Workshop, told_of: Mapping[str, str]
) -> tuple[float, float]:
    """From a disk that boots to an app that answers, by ssh and a playbook."""
    variables, env = _variables(shop, told_of), _environment(place)
    (place / "told.json").write_text(json.dumps(variables))
    tool = ansible(
        Maker(
            home=cache_folder(), python=lambda: Path(sys.executable), inherited={}, uid=None,
            on_line=lambda _: None, stop=Stop(),
        )
    )  # fmt: skip
    env["PATH"] = f"{tool.folder}:{env.get('PATH') or os.defpath}"
    began = time.monotonic()
    with booted(disk, furnished=True) as guest:
        host = ["-o", "BatchMode=yes", "-p", str(guest.ssh), "root@127.0.0.1"]
        ssh = ["ssh", *env["ANSIBLE_SSH_ARGS"].split(), *host, "true"]
        wait_until(lambda: _works(ssh), seconds=BOOT_SECONDS, what="ssh to the VM", poll=0.2)
        words = ["--inventory", f"127.0.0.1:{guest.ssh},", "--user", "root"]
        words += ["--extra-vars", f"@{place / 'told.json'}"]
        output_of([tool.playbook, *words, str(PLAYBOOK)], setting=Setting(env=env, cwd=place),
                  seconds=PLAY_SECONDS)  # fmt: skip
        return _ready(guest, began)


def _ready(guest: Guest, began: float) -> tuple[float, float]:
    guest.until_healthy("/")
    return time.monotonic() - began, guest.memory() / MEGABYTE


def _works(argv: list[str]) -> bool:
    try:
        output_of(argv, seconds=60)
    except CommandError:  # it is not there yet
        return False
    return True


def _variables(shop: Workshop, told_of: Mapping[str, str]) -> dict[str, object]:
    names = ("app.py", "requirements.txt")
    files = [{"from": str(shop.project.folder / name), "to": f"/app/{name}"} for name in names]
    if bundle := ca_bundle_of(inherited_for_builds()):
        files.append({"from": str(bundle), "to": CA_BUNDLE})
    return {**told_of, "files": files, "told": arguments_of(inherited_for_builds(), {})}


def _environment(place: Path) -> dict[str, str]:
    known = f"-o UserKnownHostsFile={place / 'known'} -o StrictHostKeyChecking=accept-new"
    shared = f"-o ControlMaster=auto -o ControlPersist=60s -o ControlPath={place / 'ssh'}"
    return {
        **inherited_with(),
        "ANSIBLE_LOCAL_TEMP": str(place / "tmp"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        "ANSIBLE_SSH_ARGS": f"-F none -i {place / 'key'} {known} {shared}",
        "ANSIBLE_TIMEOUT": "60",
    }


def _disk(shop: Workshop, app: App, image: Image, place: Path) -> Path:
    holds = shop.builder.contents(image)
    recipe = recipe_of(app, 1, image, holds, shop.builder.configuration(image))
    builders = Builders(
        inherited=inherited_for_builds(), env={}, home=shop.home, uid=UID,
        on_line=lambda _: None, stop=Stop(), ends=time.monotonic() + 1800,
    )  # fmt: skip
    wanted = Wanted(
        image=image, holds=holds, name=f"dayfly-bench-{uuid.uuid4().hex[:8]}", size=4 * 1024**3,
        recipe=recipe,
    )  # fmt: skip
    return made(wanted, place, builders)
