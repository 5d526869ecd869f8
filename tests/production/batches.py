"""A batch, a scheduled job and a worker for `kinds`; all write into the kept folder `exports`."""

from pathlib import Path

from production.environment import Production
from production.projects import Project

KEEP = {"[process.web]": 'keep = ["exports"]\n[process.web]'}


def jobs(lines: int) -> str:
    """Of dayfly.toml; the batch writes so many lines, two a second."""
    return f"""
[process.worker]
run = '''
trap 'sleep 1; echo $DAYFLY_MACHINE >>exports/workers-done; exit 0' TERM
while :; do sleep 0.2; done
'''

[job.batch]
run = '''
for line in $(seq {lines}); do echo $line >>exports/.$DAYFLY_MACHINE; sleep 0.5; done
mv exports/.$DAYFLY_MACHINE exports/batch-$DAYFLY_MACHINE
'''
schedule = "0 0 1 1 *"

[job.tick]
run = 'echo $DAYFLY_RELEASE $(date +%s) >>exports/ticks'
schedule = "* * * * *"
"""


def commit(app: Project, lines: int) -> str:
    return app.commit(changes=KEEP, more=jobs(lines))


def exports(prod: Production, app: Project) -> Path:
    return prod.home.keep(app.app, "exports")


def start_batch(prod: Production, app: Project) -> None:
    prod.typed("jobs", "run", "batch", at=app.folder)


def batches(prod: Production, app: Project) -> dict[str, list[str]]:
    """The files that finished batches wrote: their lines by name."""
    found = exports(prod, app).glob("batch-*")
    return {path.name: path.read_text().splitlines() for path in found}


def runs(prod: Production, app: Project, job: str) -> list[tuple[str, int | None]]:
    """Machine and exit status of each run of a job, newest first."""
    answer = prod.client.get(f"/api/apps/{app.app}/jobs")
    [found] = [entry["runs"] for entry in answer if entry["job"] == job]
    return [(run["machine"], run["status"]) for run in found if run["finished"]]


def workers(prod: Production, app: Project) -> set[int]:
    """Releases that have a worker running."""
    return {
        int(machine["release"])
        for machine in prod.machines(app.app)
        if (machine["process"], machine["state"]) == ("worker", "running")
    }
