"""Commands that only look: status, releases, receipt, machines, jobs."""

from collections.abc import Callable
from typing import Any

from dayfly.cli import alerts, show
from dayfly.cli.commands import Commands, release_number
from dayfly.cli.jobs import job_lines
from dayfly.cli.output import cleaned, say, say_json
from dayfly.cli.session import Session
from dayfly.client import part


def declare(commands: Commands) -> None:
    commands.add_reader("status", status, "What serves, on which machines, is the way back open.")
    releases_ = commands.add_reader("releases", releases, "What happened, newest first.")
    releases_.add_argument("--app", metavar="APP", help="only of this application")
    releases_.add_argument("--limit", type=int, default=20, metavar="N", help="how many (20)")
    receipt_ = commands.add_reader("receipt", receipt, "What one release did and cost, in figures.")
    receipt_.add_argument("number", type=release_number, metavar="N", help="the release's number")
    commands.add_reader("machines", machines, "What runs.")


def status(session: Session, *, json: bool) -> int:
    return _read(session, "/api/status", alerts.status_lines, json=json)


def releases(session: Session, *, json: bool, limit: int) -> int:
    query = {"app": session.named_app, "limit": limit}
    return _read(session, "/api/releases", show.releases, json=json, **query)


def receipt(session: Session, *, json: bool, number: int) -> int:
    return _read(session, f"/api/releases/{number}", show.receipt, json=json)


def machines(session: Session, *, json: bool) -> int:
    return _read(session, "/api/machines", show.machines, json=json)


def jobs(session: Session, *, json: bool) -> int:
    client = session.client()
    path = f"/api/apps/{part(session.app(client))}/jobs"
    return _read(session, path, job_lines, json=json)


def _read(
    session: Session,
    path: str,
    lines: Callable[[Any], list[str]],
    *,
    json: bool,
    **query: object,
) -> int:
    value = session.client().get(path, **query)
    if json:
        say_json(value)
    else:
        say(*lines(cleaned(value)))
    return 0
