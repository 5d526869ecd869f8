"""Jobs, and one command in a fresh machine."""

import argparse
import shlex
from typing import Any

from dayfly.cli import readers
from dayfly.cli.commands import Commands, for_app, release_number
from dayfly.cli.output import clean, error, say
from dayfly.cli.session import Session
from dayfly.client import ClientError, part
from dayfly.errors import DayflyError, UsageError

_MOST_STATUS = 255


def declare(commands: Commands) -> None:
    jobs = commands.add_reader("jobs", jobs_of_app, "Scheduled jobs and their results.")
    for_app(jobs)
    jobs.add_argument("action", nargs="?", choices=("run",), help="`run JOB` starts it now")
    jobs.add_argument("job", nargs="?", metavar="JOB")
    once = commands.add(
        "run", run_command, "One command, without input, in a fresh machine of what serves."
    )
    for_app(once)
    once.add_argument("--release", type=release_number, metavar="N", help="of this release instead")
    once.add_argument(
        "command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="and its arguments"
    )


def jobs_of_app(session: Session, *, action: str | None, job: str | None, json: bool) -> int:
    if action is None:
        return readers.jobs(session, json=json)
    if not job:
        raise UsageError("Which job?", hint="`dayfly jobs` lists them; `dayfly jobs run NAME`.")
    client = session.client()
    client.post(f"/api/apps/{part(session.app(client))}/jobs/{part(job)}")
    say(f"{clean(job)} is started; `dayfly jobs` shows how it ends.")
    return 0


def run_command(session: Session, *, command: list[str], release: int | None) -> int:
    """The command's output as it comes, and its exit status as ours; it gets no input."""
    words = command[1:] if command[:1] == ["--"] else command
    if not words:
        raise UsageError("Run what?", hint="For example: dayfly run -- python manage.py check")
    client = session.client()
    path = f"/api/apps/{part(session.app(client))}/run"
    for kind, data in client.stream(path, {"command": shlex.join(words), "release": release}):
        if kind == "output":
            say(clean(data["line"]))
        elif kind == "finished":
            return _ended(data)
    raise ClientError("The server ended before the command did; its result is not known.")


def _ended(data: dict[str, Any]) -> int:
    status = data["status"]
    if status is None:
        raise DayflyError(data["error"], hint=data.get("hint") or "")
    if status:
        error(f"The command ended with status {status}.")
    return int(status) if 0 <= status <= _MOST_STATUS else 1
