"""What has to hold, whatever was broken."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import suppress

from dayfly.balancer.balancer import Balancer
from dayfly.clock import wait_until
from dayfly.config.load import settings_of
from dayfly.environment.environment import open_balancer
from dayfly.machines.cgroup import Cgroups
from dayfly.machines.launchfile import TMPFS
from dayfly.machines.ports import SHARED
from production.environment import Production

SETTLED_SECONDS = 15.0  # until upkeep has put everything right
ASKED = 8


def assert_serving(prod: Production, app: str, release: int, machines: int = 2) -> None:
    """Requests reach this release only, the map names it, all say so, all its machines are well."""

    def settled() -> bool:
        serving = prod.app(app)["serving"]
        return bool(
            serving
            and serving["release"] == release
            and [m["healthy"] for m in serving["machines"] if m["process"] == "web"]
            == [True] * machines
        )

    wait_until(settled, seconds=SETTLED_SECONDS, what=f"release {release} is whole", poll=0.2)
    answers = {answer(prod)["release"] for _ in range(ASKED)}
    assert answers == {str(release)}
    routing = _balancer(prod).routing()
    assert routing.slots[routing.serving[app]].release == release
    outcomes = {r["release"]: r["outcome"] for r in prod.releases() if r["app"] == app}
    assert [n for n, o in outcomes.items() if o in {"serving", "running"}] == [release], outcomes


def answer(prod: Production) -> dict[str, str]:
    with urllib.request.urlopen(f"{prod.url}/version", timeout=10) as found:
        return dict(json.loads(found.read()))


def assert_nothing_left_over(prod: Production, app: str, release: int) -> None:
    wait_until(
        lambda: not left_over(prod, app, release),
        seconds=SETTLED_SECONDS,
        what="; ".join(left_over(prod, app, release)) or "nothing left over",
        poll=0.2,
    )


def left_over(prod: Production, app: str, release: int) -> list[str]:
    """All that still holds something for a release that is gone."""
    return list(_left_over(prod, app, release))


def _left_over(prod: Production, app: str, release: int) -> Iterator[str]:
    name = f"{app}-{release}-"
    yield from (f"machine {m['machine']}" for m in prod.machines(app) if m["release"] == release)
    yield from (f"process {pid}" for pid in prod.processes_of(release=str(release), app=app))
    for folder in (prod.home.machines, TMPFS / f"dayfly-{prod.id}"):
        if folder.exists():
            found = (path for path in folder.iterdir() if path.name.lstrip(".").startswith(name))
            yield from (f"{path}" for path in found)
    for path in SHARED.glob("[0-9]*"):
        with suppress(FileNotFoundError):  # others' machines come and go
            if path.read_text().startswith(f"{prod.id} {name}"):
                yield f"port {path.name}"
    for folder in Cgroups(prod.id).folders("any").values():
        if folder.parent.exists():
            found = (path for path in folder.parent.iterdir() if path.name.startswith(name))
            yield from (f"cgroup {path}" for path in found)
    yield from _in_the_balancer(prod, app, release)
    if prod.home.scratch.exists():
        yield from (f"scratch {path.name}" for path in prod.home.scratch.glob("*"))
    if (prod.home.release(release) / "source").exists():
        yield "its exported source"


def _in_the_balancer(prod: Production, app: str, release: int) -> Iterator[str]:
    balancer = _balancer(prod)
    for slot, fleet in balancer.routing().slots.items():
        if (fleet.app, fleet.release) == (app, release):
            yield f"{slot} on disk"
    for slot, servers in balancer.observed().servers.items():
        if any(server.name.startswith(f"{app}-{release}-") for server in servers):
            yield f"servers in {slot}"


def _balancer(prod: Production) -> Balancer:
    return open_balancer(prod.home, settings_of(prod.home))
