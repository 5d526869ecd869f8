"""Releases tried on scratch copies of the database, before production is touched."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from dayfly.config.app import Database
from dayfly.errors import DayflyError, StoppedError
from dayfly.events import silent
from dayfly.images.image import Image
from dayfly.machines.health import UnhealthyError, wait_until_healthy
from dayfly.machines.machine import Machine, Spec
from dayfly.release import bucket, fleet, once
from dayfly.release.records import ReleaseRecord
from dayfly.release.work import ReleaseError, Work

if TYPE_CHECKING:
    from dayfly.database.wayback import Releases

REHEARSAL = "rehearsal"


def releases(work: Work, image: Image, outgoing: ReleaseRecord | None) -> "Releases | None":
    """How the incoming and the outgoing release are tried; None where there is no way back."""
    from dayfly.database.wayback import Releases  # noqa: PLC0415 - loads the driver

    if outgoing is None:
        return None
    try:
        before = replace(work, app=work.parts.app_of(outgoing))
        kept = fleet.image_of(work.parts, outgoing)
    except ReleaseError as error:
        work.emit("note", message=f"not tried on the migrated copy: {error}")
        return None
    return Releases(incoming=_trying(work, image), outgoing=_trying(before, kept))


def serving(work: Work, image: Image) -> "Releases":
    """How the release that serves is tried on a schema that is to come."""
    from dayfly.database.wayback import Releases  # noqa: PLC0415 - loads the driver

    return Releases(incoming=_trying(work, image), called="serving")


def starting(work: Work, image: Image) -> Callable[[str], str]:
    """Only whether one of its machines becomes healthy."""
    return _trying(work, image, smoke=False)


def on_copy(
    work: Work,
    image: Image,
    wanted: fleet.Wanted,
    url: str,
    *,
    env: Mapping[str, str] | None = None,
) -> Spec:
    """A machine that sees a copy instead of production, and none of the files that are kept."""
    from dayfly.database.redirected import to_copy  # noqa: PLC0415 - loads the driver

    database = work.app.database or Database()
    made = bucket.apart(work.parts, work.app, once.machine_for(work, image, wanted, env=env))
    production = (work.database_url(database), work.migrate_url(database))
    fenced = not work.parts.settings.scratch_url
    every = {**made.env, **made.secrets}
    led = to_copy(every, production, url, url=database.url, fenced=fenced)
    open_to_all = {name: led.pop(name) for name in made.env if name in led}
    own = work.parts.home.scratch / f"kept-{made.name}"
    return replace(
        made,
        env=open_to_all,
        secrets=led,
        loopback=True,
        keep={path: own / path for path in work.app.shared},
    )


def _trying(work: Work, image: Image, *, smoke: bool = True) -> Callable[[str], str]:
    def attempt(url: str) -> str:
        try:
            with _machine(work, image, url) as machine:
                if smoke:
                    _smoke(work, image, url, machine)
        except StoppedError:
            raise
        except DayflyError as error:
            redact = work.parts.redactor(work.record.app)
            return redact("\n".join(filter(None, (error.message, error.hint))))
        return ""

    return attempt


def started(work: Work, made: Spec) -> once.Ended:
    """Whether a machine of `web` becomes healthy, which nobody is led to; with its last lines."""
    try:
        with _healthy(work, made):
            return once.Ended(0, "")
    except UnhealthyError as error:
        redact = work.parts.redactor(work.record.app)
        return once.Ended(1, redact("\n".join(filter(None, (error.message, error.hint)))))


@contextmanager
def _machine(work: Work, image: Image, url: str) -> Iterator[Machine]:
    wanted = replace(fleet.process_wanted(work.app, fleet.WEB), process=REHEARSAL)
    with _healthy(work, on_copy(work, image, wanted, url)) as machine:
        yield machine


@contextmanager
def _healthy(work: Work, made: Spec) -> Iterator[Machine]:
    """Of `web`; nothing is left of it."""
    runtime, health = work.parts.runtime, work.app.process[fleet.WEB].health
    try:
        machine = runtime.launch(made)
        wait_until_healthy([machine], health, work.stop, runtime, silent)
        yield machine
    finally:
        runtime.remove(made.name)
        runtime.forget(made.name)
        shutil.rmtree(work.parts.home.scratch / f"kept-{made.name}", ignore_errors=True)
        work.parts.journal.machine_gone(made.name, reason="done")


def _smoke(work: Work, image: Image, url: str, machine: Machine) -> None:
    settings = work.app.release
    if settings.smoke:
        made = on_copy(work, image, fleet.Wanted(process=REHEARSAL, run=settings.smoke), url)
        made = replace(made, env={**made.env, "BASE_URL": f"http://{machine.address}"})
        once.run_once(work, made, seconds=settings.smoke_deadline)
