"""What the API answers without changing anything."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from dayfly.config.cron import schedule, zone_of
from dayfly.environment import views
from dayfly.environment.applications import require
from dayfly.environment.environment import Environment, observe
from dayfly.errors import UsageError
from dayfly.logs.forwarder.starting import ENDED, MACHINE
from dayfly.release import contracts
from dayfly.release.bookkeeping import ALL
from dayfly.release.receipt import contracted, iso, rollbacks, row, whole

NEWEST = 50
FILES = "files"  # the folder of a machine's output that has its declared log files


def status(environment: Environment, _: Request) -> dict[str, Any]:
    return views.status(observe(environment))


def alerts(environment: Environment, _: Request) -> list[Any]:
    return environment.alerts.told()


def releases(environment: Environment, request: Request) -> list[Any]:
    limit = number_of(request, "limit", NEWEST)
    app = request.query_params.get("app")
    if app is not None:
        require(environment.parts.journal, app)
    return listed(environment, app, limit)


def listed(environment: Environment, app: str | None, limit: int) -> list[dict[str, Any]]:
    """Releases, newest first; those that wait for their turn are marked."""
    queued = environment.engine.lines.queued()
    records = environment.parts.journal.releases(app, limit)
    return [{**row(record), "queued": record.number in queued} for record in records]


def receipt(environment: Environment, request: Request) -> dict[str, Any]:
    journal, number = environment.parts.journal, request.path_params["number"]
    events = journal.events(release=number, limit=ALL)
    contract = contracts.told(events).get(number)
    return {
        **whole(journal.release(number)),
        "queued": number in environment.engine.lines.queued(),
        "rollbacks": rollbacks(events),
        "contract": contract and {**contract.as_json(), "runs": contracted(events)},
    }


def machines(environment: Environment, _: Request) -> list[Any]:
    seen = observe(environment)
    usage = environment.parts.runtime.usage
    return [views.machine_row(seen, machine, usage(machine.name)) for machine in seen.machines]


def jobs(environment: Environment, request: Request) -> list[Any]:
    """The jobs of what serves, when each is next due, and its last runs."""
    parts, app = environment.parts, request.path_params["app"]
    number = parts.serving(app)
    if number is None:
        raise LookupError(f"no release of {app} serves")
    zone = zone_of(parts.settings.time_zone)
    settings = parts.app_of(parts.journal.release(number))
    ran = parts.journal.machines(app=app)
    return [
        {
            "job": name,
            "schedule": job.schedule,
            "next": schedule(job.schedule).next_after(datetime.now(UTC), zone).isoformat(),
            "runs": [
                {
                    "machine": run.name,
                    "release": run.release,
                    "started": iso(run.launched),
                    "finished": iso(run.removed),
                    "status": run.status,
                }
                for run in ran
                if (run.process, run.kind) == (name, "job")
            ][:NEWEST],
        }
        for name, job in settings.job.items()
    ]


def secrets(environment: Environment, request: Request) -> list[Any]:
    return list(environment.parts.secrets.names(request.path_params["app"]))


def known_commits(environment: Environment, request: Request) -> dict[str, Any]:
    """Commits that a client need not send again."""
    return {"commits": list(environment.parts.sources.known(request.path_params["app"]))}


def output(environment: Environment, request: Request) -> Response:
    """Everything kept of a release: output of its stages and of its machines, and their logs."""
    record = environment.parts.journal.release(request.path_params["number"])
    asked = [request.query_params.get(key) for key in ("machine", "source")]
    wanted = "/".join(name for name in asked if name)
    kept = dict(_kept(environment, record.number))
    chosen = {source: path for source, path in kept.items() if means(wanted, source)}
    if wanted and not chosen:
        known = "\n".join(["It has:", *sorted(kept)]) if kept else "It has none."
        raise LookupError(f"release {record.number} keeps no output of {wanted!r}", known)
    redact = environment.parts.redactor(record.app)

    def lines() -> Iterator[str]:
        for source, path in chosen.items():
            for line in _lines_of(path):
                yield f"{source}: {redact(line.rstrip())}\n"

    return StreamingResponse(lines(), media_type="text/plain; charset=utf-8")


def means(wanted: str, source: str) -> bool:
    """Whether `wanted` names this output: whole, by its beginning, or as the app names its file."""
    own_files = f"/{FILES}/"
    machine, _, file = source.partition(own_files)
    short = f"{machine}/{file}"
    return (
        not wanted
        or f"{source}/".startswith(f"{wanted}/")
        or bool(file and wanted in {file, short})
    )


def _kept(environment: Environment, release: int) -> Iterator[tuple[str, Path]]:
    """Each kept file under the name it is asked for by: `build`, a machine, `MACHINE/log/x.log`."""
    parts = environment.parts
    for log in sorted(parts.home.release(release).glob("*.log")):
        yield log.stem, log
    for machine in reversed(parts.journal.machines(release=release)):
        folder = parts.runtime.output(machine.name)
        for log in sorted(path for path in folder.rglob("*") if _is_own_file(path)):
            inside = log.relative_to(folder)
            yield machine.name if str(inside) == "output.log" else f"{machine.name}/{inside}", log


def _is_own_file(path: Path) -> bool:
    """A machine may have planted links to what only the server may read."""
    return not path.is_symlink() and path.is_file() and path.name not in {MACHINE, ENDED}


def _lines_of(path: Path) -> Iterator[str]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, errors="replace") as file:
        yield from file


def number_of(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdecimal():
        raise UsageError(f"{name}: {text!r} is not a whole number")
    return int(text)
