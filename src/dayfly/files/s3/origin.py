"""Which machine sends a request: the id of its key says so, whatever client it uses.

Machines of an app have one key. To its id each adds its own name, `KEY-NAME`, or `KEY-job-NAME`
for what runs once, so a URL that one of them has signed holds for longer than the machine lives.
A machine could give itself the name of another one of its app, and of no other app.
"""

from dayfly.files.objects import Provenance

TRIAL = ".trial"  # what an account for trying things out has behind the name of its app
_SIGN, _JOB = "-", "job-"


def key_of(access_key_id: str, machine: str, *, job: bool) -> str:
    """The id by which a machine signs."""
    return f"{access_key_id}{_SIGN}{_JOB if job else ''}{machine}"


def parted(key_id: str) -> tuple[str, str]:
    """The id of the key itself, and who of those that have it signs."""
    key, _, sender = key_id.partition(_SIGN)
    return key, sender


def origin_of(account: str | None, sender: str, source: str = "") -> Provenance:
    """A name counts only where it is one of the app's: APP-RELEASE-PROCESS-NUMBER."""
    who = account or "anonymous"
    app = f"{who.removesuffix(TRIAL)}-"
    runs_once = sender.startswith(f"{_JOB}{app}")
    machine = sender.removeprefix(_JOB) if runs_once else sender
    release, _, rest = machine.removeprefix(app).partition("-")
    process = rest.rpartition("-")[0]
    if not (machine.startswith(app) and release.isdecimal() and process):
        return Provenance(who=who, source=source)
    job = process if runs_once else ""
    return Provenance(who=who, release=release, machine=machine, job=job, source=source)
