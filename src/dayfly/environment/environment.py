"""One production, put together: the only place that builds concrete parts from the settings."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from dayfly.balancer.balancer import Balancer, listen
from dayfly.balancer.routing import Routing
from dayfly.config.environment import Environment as Settings
from dayfly.config.home import Home, environment_id
from dayfly.config.inherited import inherited_for_builds
from dayfly.config.secrets import Secrets
from dayfly.durable import write_atomically
from dayfly.environment import archive, gateway, logstore
from dayfly.environment.alerting.alerts import Alerts
from dayfly.environment.collecting import ROUND_SECONDS as COLLECTING
from dayfly.environment.collecting import Collector
from dayfly.environment.declared import settings_of
from dayfly.environment.filewatches import FileWatches
from dayfly.environment.mounting import ROUND_SECONDS as MOUNTING
from dayfly.environment.mounting import Mounting
from dayfly.environment.mounts import Serving
from dayfly.environment.shipping import ROUND_SECONDS, ShippingRuntime
from dayfly.environment.tls import CertificateWatch
from dayfly.environment.views import Observed
from dayfly.errors import DayflyError
from dayfly.images.builder import Builder
from dayfly.images.container import ContainerBuilder
from dayfly.images.source import Sources
from dayfly.images.tree import TreeBuilder
from dayfly.machines.docker import DockerRuntime
from dayfly.machines.machine import Runtime
from dayfly.machines.process import ProcessRuntime
from dayfly.machines.uids import uid_for
from dayfly.release import contracts, returning, rollback
from dayfly.release.alerts import standing
from dayfly.release.caretaker import Caretaker
from dayfly.release.contracts import Contract
from dayfly.release.engine import Engine
from dayfly.release.inspector import Inspector
from dayfly.release.jobs import Scheduler
from dayfly.release.journal import Journal
from dayfly.release.measuring import Measuring
from dayfly.release.records import ReleaseRecord
from dayfly.release.recovery import recover
from dayfly.release.reopening import reopened
from dayfly.release.work import Parts, ReleaseError
from dayfly.rounds import Rounds

LOGS_SECONDS = 5.0  # that a release waits for the log store
CLOSED = "closed: its requests get a page; `dayfly rollback` makes its schema fit, and opens it"


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A running environment: what the API and the console are given."""

    parts: Parts
    engine: Engine
    caretaker: Caretaker
    inspector: Inspector
    occupied: set[str]
    alerts: Alerts
    mounting: Mounting
    measuring: Measuring


@contextmanager
def opened(home: Home) -> Iterator[Environment]:
    """Open all parts, put right what a crash left, then look after it until the body ends."""
    parts = open_parts(home)
    write_atomically(home.settings_in_force, home.environment_toml.read_text())
    parts.builder.sweep()
    recover(parts)
    reopened(parts)
    occupied: set[str] = set()
    engine = Engine(parts)
    inspector = Inspector(parts, engine)
    caretaker = Caretaker(parts, engine=engine, inspector=inspector, occupied=occupied)
    scheduler = Scheduler(parts, occupied)
    https = parts.settings.balancer.https
    watch = CertificateWatch(parts.balancer, home.path / https.certificates if https else home.tls)
    retiring = Rounds("retiring", ROUND_SECONDS, shipping_of(parts).retire)
    collecting = Rounds("collecting", COLLECTING, shipping_of(parts).collector.collect_all)
    mounting = Mounting(home.files / "mounts", parts.archive, Serving(parts).mounts)
    following = Rounds("mounting", MOUNTING, mounting.round)
    alerts = _alerts(parts, engine)
    changes = FileWatches(home, parts.settings)
    measuring = Measuring(parts)
    threads = (
        inspector, caretaker, scheduler, watch, retiring, collecting, following, alerts, changes,
        measuring,
    )  # fmt: skip
    for thread in threads:
        thread.start()
    try:
        yield Environment(
            parts=parts,
            engine=engine,
            caretaker=caretaker,
            inspector=inspector,
            occupied=occupied,
            alerts=alerts,
            mounting=mounting,
            measuring=measuring,
        )
    finally:
        engine.close()
        for thread in reversed(threads):
            thread.close()
        parts.journal.close()


def _alerts(parts: Parts, engine: Engine) -> Alerts:
    def emit(kind: str, **data: object) -> None:
        parts.journal.record(kind, release=None, app=None, **data)

    closed = partial(_kept_closed, parts, engine)
    return Alerts(parts.home, parts.settings, closed, emit, parts.journal)


def _kept_closed(parts: Parts, engine: Engine) -> frozenset[str]:
    """Apps that an operation has closed; one that stays closed after it failed is none of them."""
    return engine.lines.engaged() & parts.balancer.routing().closed.keys()


def open_parts(home: Home) -> Parts:
    settings = settings_of(home)
    runtime, builder = open_runtime(home, settings)
    tenants = archive.tenants(home, settings)
    runtime = ShippingRuntime(runtime, home.forwarder, Collector(home.output, tenants))
    return Parts(
        home=home,
        settings=settings,
        journal=Journal(home.journal),
        sources=Sources(home.sources),
        builder=builder,
        runtime=runtime,
        balancer=open_balancer(home, settings),
        secrets=Secrets(home.secrets),
        logs=lambda question, **told: _ask_logs(home, question, **told),
        archive=tenants,
        tunnel=lambda: gateway.missing(home, settings),
    )


def _ask_logs(home: Home, question: str, **told: object) -> Iterator[str]:
    """At its address of this moment."""
    yield from logstore.client(home, seconds=LOGS_SECONDS).lines(f"/{question}", **told)


def shipping_of(parts: Parts) -> ShippingRuntime:
    """The runtime of opened parts, as what it is besides a runtime."""
    assert isinstance(parts.runtime, ShippingRuntime)  # noqa: S101 - `open_parts` makes it
    return parts.runtime


def open_balancer(home: Home, settings: Settings) -> Balancer:
    wanted = listen(
        settings.balancer,
        environment_id=environment_id(home),
        access_log=int(settings.retention.access_log),
        home=home.path,
        files=settings.files.host or "",
        files_socket=home.files / archive.SOCKET,
    )
    return Balancer(home.balancer, wanted)


def open_runtime(home: Home, settings: Settings) -> tuple[Runtime, Builder]:
    """The two that belong together: what is built is what the runtime starts."""
    environment = environment_id(home)
    if settings.runtime == "docker":
        return (
            DockerRuntime(home.path, environment, network=settings.docker.network),
            ContainerBuilder(
                folder=home.images,
                cache=home.cache,
                environment=environment,
                inherited=inherited_for_builds(),
                secrets=Secrets(home.secrets).wanted,
            ),
        )
    inherited = inherited_for_builds()

    def uid(app: str) -> int:
        return uid_for(home.path, environment, app) or 0

    builder = TreeBuilder(
        folder=home.images,
        cache=home.cache,
        inherited=inherited,
        uid=uid if os.geteuid() == 0 else None,
    )
    return ProcessRuntime(home.path, environment), builder


def observe(environment: Environment) -> Observed:
    """What there is at this moment, for people and programs to read."""
    parts = environment.parts
    routing, records = parts.balancer.routing(), tuple(parts.journal.releases())
    try:
        down, up = parts.down(), True
    except DayflyError:
        down, up = frozenset[str](), False
    targets = _targets(parts)
    return Observed(
        name=parts.settings.name,
        url=url_of(parts.settings),
        routing=routing,
        machines=parts.runtime.machines(),
        down=down,
        balancer_up=up,
        logs={**logstore.store_state(parts.home)},
        forwarder={
            "state": "up" if logstore.forwarder_runs(parts.home) else "down",
            "waiting": list(shipping_of(parts).late),
        },
        files=_files(environment),
        records=records,
        problems=_problems(environment, routing, records),
        back_to={app: target.number for app, target in targets.items()},
        crossed={app: returning.in_the_way(parts, target) for app, target in targets.items()},
        contracts=_contracts(parts),
        drifted=environment.inspector.found,
        alerts=[*environment.alerts.told(), *environment.alerts.untold()],
        feeds=logstore.feeds_state(parts.home) if parts.settings.logs.feed else (),
        tunnel=gateway.state(parts.home, parts.settings),
    )


def _files(environment: Environment) -> dict[str, Any]:
    """The archive, and what is in the way of files on their way into it."""
    told = archive.state(environment.parts.home)
    problems = [*shipping_of(environment.parts).problems, *environment.mounting.problems]
    return {**told, "problems": problems} if problems else told


def _targets(parts: Parts) -> dict[str, ReleaseRecord]:
    """By app where a plain rollback would go."""
    found = {}
    for app in parts.balancer.routing().serving:
        with suppress(ReleaseError):  # there is none to go back to
            found[app] = rollback.goal(parts, app, None)
    return found


def _contracts(parts: Parts) -> dict[str, Contract]:
    """By app what the serving release has left out, and has not run yet."""
    open_ones = ((app, contracts.open_of(parts, app)) for app in parts.balancer.routing().serving)
    return {app: contract for app, contract in open_ones if contract}


def _problems(
    environment: Environment, routing: Routing, records: tuple[ReleaseRecord, ...]
) -> dict[str, str]:
    """What the caretaker met, what somebody has to decide, and an app that nobody opens again."""
    parts, busy = environment.parts, environment.engine.lines.busy()
    at_work = {record.app for record in records if record.number in busy}
    found = {**environment.inspector.problems, **environment.caretaker.problems}
    for app in {record.app for record in records}:
        told = [found[app]] if app in found else []
        alerts = standing(parts, app)
        told += [alert.message for alert in alerts]
        says = any(alert.closed for alert in alerts)
        if app in routing.closed and app not in at_work and not says:
            told.append(CLOSED)
        if told:
            found[app] = "; ".join(told)
    return found


def url_of(settings: Settings) -> str:
    """Where the environment's apps answer, as somebody on this host writes it."""
    host, _, port = settings.balancer.http.rpartition(":")
    return f"http://{'127.0.0.1' if host in {'', '0.0.0.0', '[::]'} else host}:{port}"  # noqa: S104
