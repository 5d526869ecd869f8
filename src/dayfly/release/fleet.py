"""The fleet of a release: its machines wanted, launched, proven and removed."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from dayfly.balancer.routing import Server
from dayfly.clock import Stop
from dayfly.config.app import App
from dayfly.events import Emit
from dayfly.images.image import Image
from dayfly.machines.collected import Collect
from dayfly.machines.health import wait_until_healthy
from dayfly.machines.machine import Machine, Spec
from dayfly.machines.output import last_lines
from dayfly.machines.probe import probe
from dayfly.release import bucket
from dayfly.release.records import ReleaseRecord
from dayfly.release.work import Parts, RefusedError, ReleaseError, Work

LAUNCH_AT_ONCE = 4
WEB = "web"

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What one more machine of a release is to do."""

    process: str
    run: str
    kind: Literal["process", "job"] = "job"
    port: bool = False
    memory: int | None = None
    cpus: float | None = None


def require_web(app: App) -> None:
    if WEB not in app.process:
        near = get_close_matches(WEB, app.process, 1)
        hint = f"Did you mean it by [process.{near[0]}]?" if near else ""
        raise RefusedError("dayfly.toml has no [process.web]: nothing would answer", hint=hint)


def process_wanted(app: App, process: str) -> Wanted:
    settings = app.process[process]
    return Wanted(
        process=process,
        run=settings.run,
        kind="process",
        port=process == WEB,
        memory=settings.memory,
        cpus=settings.cpus,
    )


def spec(parts: Parts, record: ReleaseRecord, app: App, image: Image, wanted: Wanted) -> Spec:
    """One more machine of a release, with a name of its own."""
    name = parts.journal.name_machine(record, wanted.process, wanted.kind)
    files = bucket.told(parts, app, name, job=wanted.kind == "job")
    return Spec(
        name=name,
        app=record.app,
        release=record.number,
        process=wanted.process,
        kind=wanted.kind,
        image=image,
        run=wanted.run,
        port=wanted.port,
        env={**files.env, **app.env},
        secrets={**files.secrets, **parts.secrets.wanted(app.app, app.secrets)},
        memory=None if wanted.memory is None else int(wanted.memory),
        cpus=wanted.cpus,
        keep={path: parts.home.keep(record.app, path) for path in app.shared},
        writable=app.writable,
        log_files=app.logs.files,
        collect=Collect(bucket=parts.archive.bucket_of(app), places=app.files.collect_places),
    )


def launch(work: Work, image: Image, process: str, count: int) -> tuple[Machine, ...]:
    """Start machines side by side: all, or an error (`launched` takes away what started)."""

    def one(wanted: Spec) -> Machine:
        work.stop.check()
        with work.step("launch machine", machine=wanted.name):
            machine = work.parts.runtime.launch(wanted)
        work.emit(
            "machine.launched", machine=machine.name, process=process, address=machine.address
        )
        return machine

    wanted = process_wanted(work.app, process)
    specs = [spec(work.parts, work.record, work.app, image, wanted) for _ in range(count)]
    with ThreadPoolExecutor(LAUNCH_AT_ONCE) as pool:
        return tuple(pool.map(one, specs))


@contextmanager
def launched(work: Work, image: Image) -> Iterator[tuple[Machine, ...]]:
    """The incoming fleet's web machines; gone again, with the slot, when the body fails.

    A fleet that has got the traffic and could not give it back stays.
    """
    try:
        with work.stage("launch"):
            machines = launch(work, image, WEB, work.app.process[WEB].machines)
        yield machines
    except BaseException:
        with clearing_up(work):
            if work.parts.serving(work.record.app) != work.record.number:
                remove_fleet(work.parts, work.record, "its release did not come through")
        raise


@contextmanager
def clearing_up(work: Work) -> Iterator[None]:
    """After an error, which is the one to tell: what fails now is a note; upkeep tries again."""
    try:
        yield
    except Exception as error:
        log.exception("clearing up after release %d", work.record.number)
        work.emit("note", message=f"could not clear up yet: {error}")


def image_of(parts: Parts, record: ReleaseRecord) -> Image:
    """The kept image of a release."""
    kept = parts.journal.release(record.number).image
    image = next((image for image in parts.builder.images() if image.key == kept), None)
    if image is None:
        raise ReleaseError(
            f"the image of release {record.number} is no longer kept",
            hint=f"dayfly release {record.commit[:8]} builds it anew",
        )
    return image


def remove_all(parts: Parts, record: ReleaseRecord, reason: str) -> None:
    """As `remove_fleet`, with everything else that was started for a release that never served."""
    remove_fleet(parts, record, reason)
    wanted = [m.name for m in parts.journal.machines(release=record.number) if m.removed is None]
    working = _working(machines_of(parts, record))
    remove_machines(parts, record, [name for name in wanted if name not in working], reason)


def remove_fleet(parts: Parts, record: ReleaseRecord, reason: str) -> None:
    """Take a release's machines and its slot away. It must not serve.

    Jobs and workers that run stay: they finish what they do, and upkeep ends them (`job_drain`).
    """
    remove_machines(parts, record, cleared(parts, record), reason)


def cleared(parts: Parts, record: ReleaseRecord) -> list[str]:
    """Free a release's slot; returns its machines that have nothing to do any more."""
    slot = parts.slot_of(record.app, record.number)
    if slot:
        parts.balancer.clear(slot)
    machines = machines_of(parts, record)
    working = _working(machines)
    return [m.name for m in machines if m.kind == "process" and m.name not in working]


def _working(machines: Sequence[Machine]) -> frozenset[str]:
    """Workers that run."""
    return frozenset(
        m.name
        for m in machines
        if m.kind == "process" and m.process != WEB and m.state == "running"
    )


def remove_machines(parts: Parts, record: ReleaseRecord, names: Sequence[str], reason: str) -> None:
    def one(name: str) -> None:
        parts.runtime.remove(name)
        parts.journal.machine_gone(name, reason=reason)
        parts.journal.record(
            "machine.removed", release=record.number, app=record.app, machine=name, reason=reason
        )

    with ThreadPoolExecutor(LAUNCH_AT_ONCE) as pool:
        list(pool.map(one, names))


def machines_of(parts: Parts, record: ReleaseRecord) -> tuple[Machine, ...]:
    return tuple(
        m for m in parts.runtime.machines() if (m.app, m.release) == (record.app, record.number)
    )


def web_of(machines: Sequence[Machine]) -> tuple[Machine, ...]:
    return tuple(m for m in machines if m.process == WEB and m.kind == "process")


def place(parts: Parts, record: ReleaseRecord, app: App, machines: Sequence[Machine]) -> str:
    """Put these machines into the release's slot, without traffic if it has none; the slot."""
    health = app.process[WEB].health
    servers = [Server(name=m.name, address=m.address) for m in machines if m.address]
    return parts.balancer.place(
        record.app, record.number, servers, path=health.path, host=health.host
    )


def prove_healthy(
    parts: Parts,
    app: App,
    machines: Sequence[Machine],
    *,
    stop: Stop,
    emit: Emit,
) -> None:
    """All pass their probes in a row within the deadline, or an error with the last lines."""
    wait_until_healthy(machines, app.process[WEB].health, stop, parts.runtime, emit)


def all_answer(app: App, machines: Sequence[Machine]) -> bool:
    """One probe of each, now."""
    health = app.process[WEB].health
    return all(probe(m.address, health).good for m in machines if m.address)


def death_of(parts: Parts, name: str) -> str:
    found = [m for m in parts.runtime.machines() if m.name == name]
    return found[0].reason if found and found[0].reason else "its process is gone"


def last_words(parts: Parts, app: str, name: str) -> str:
    """What a machine said last, without secrets."""
    return parts.redactor(app)(last_lines(parts.runtime.output(name)))
