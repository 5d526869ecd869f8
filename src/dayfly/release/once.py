"""A command of a release's own: its tests, its migration, its smoke, each in a fresh machine."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dayfly.command import TAIL_LINES
from dayfly.images.image import Image
from dayfly.machines.machine import Spec
from dayfly.release import fleet
from dayfly.release.work import ReleaseError, Work


@dataclass(frozen=True)
class Ended:
    status: int
    said: str  # its last lines, without secrets


def machine_for(
    work: Work,
    image: Image,
    wanted: fleet.Wanted,
    *,
    secrets: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
) -> Spec:
    """One that may know more than the fleet's own machines."""
    made = fleet.spec(work.parts, work.record, work.app, image, wanted)
    work.own.add(made.name)
    return replace(
        made,
        env={**made.env, **(env or {})},
        secrets={**made.secrets, **(secrets or {})},
        logged=False,
    )


def run_once(work: Work, spec: Spec, *, seconds: float) -> None:
    """ReleaseError with its last lines if it fails."""
    ended = run_to_end(work, spec, seconds=seconds)
    if ended.status != 0:
        raise ReleaseError(
            f"{spec.process}: `{spec.run}` ended with exit status {ended.status}", hint=ended.said
        )


def run_to_end(work: Work, spec: Spec, *, seconds: float) -> Ended:
    last = deque[str](maxlen=TAIL_LINES)
    show = work.lines_of(spec.process)

    def take(line: str) -> None:
        last.append(line)
        show(line)

    try:
        status = work.parts.runtime.run(spec, on_line=take, stop=work.stop, seconds=seconds)
    finally:
        work.parts.journal.machine_gone(spec.name, reason="done")
    return Ended(status, work.parts.redactor(work.record.app)("\n".join(last)))
