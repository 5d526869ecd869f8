"""The stages before the cutover: from a commit to a fleet that is proven healthy."""

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dayfly.balancer.routing import BalancerError, claimed
from dayfly.config.app import Database
from dayfly.config.app_rules import fits
from dayfly.images.builder import BuildError
from dayfly.images.image import Image
from dayfly.images.provision.inputs import missing
from dayfly.machines.machine import Machine
from dayfly.release import assessment, bucket, fleet, once, outputs, tooling
from dayfly.release.found import Found
from dayfly.release.room import find_room
from dayfly.release.testdatabase import ThrowAwayDatabase
from dayfly.release.work import RefusedError, Work

TEST = "test"
FULL_BYTES = 16 * 1024 * 1024


def check_out(work: Work) -> Path:
    """The commit's files, in a folder that lives until the image is built."""
    source = work.source
    with work.stage("checkout"), removed_on_failure(source):
        shutil.rmtree(source, ignore_errors=True)
        work.parts.sources.export(work.record.app, work.record.commit, source)
        problems = [*fits(work.app, work.parts.settings), *missing(work.app.image, source)]
        if problems:
            raise RefusedError("\n".join(map(str, problems)))
        _require_tunnel(work)
        work.parts.secrets.wanted(work.app.app, (*work.app.secrets, *work.app.image.told))
        _require_route(work)
        bucket.admit(work)
        tooling.keep(work, source)
        _require_page(work)
    return source


@contextmanager
def removed_on_failure(folder: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _require_tunnel(work: Work) -> None:
    """RefusedError where the tunnel that environment.toml requires is down, or can't be seen."""
    if why := work.parts.tunnel():
        says = f"the tunnel is not seen to stand, which environment.toml requires: {why}"
        raise RefusedError(says, hint="`dayfly tunnel status` tells how it is.")


def _require_page(work: Work) -> None:
    """SourceError when the commit lacks the page that dayfly.toml names."""
    _ = work.page


def _require_route(work: Work) -> None:
    """RefusedError when another app has these requests; they are claimed at the cutover."""
    try:
        claimed(
            work.parts.balancer.routing(), work.record.app, work.parts.route_of(work.record.app)
        )
    except BalancerError as error:
        raise RefusedError(error.message, hint=error.hint) from error


def build(work: Work, source: Path) -> Image:
    try:
        with work.stage("build"):
            image = work.parts.builder.build(
                work.app,
                work.record.commit,
                source,
                on_line=work.lines_of("build"),
                stop=work.stop,
            )
    except BuildError as error:
        if full := _full_disk(work):
            raise BuildError(f"{error.message}; {full}", hint=error.hint) from error
        raise
    finally:
        shutil.rmtree(source, ignore_errors=True)
    work.parts.journal.keep_image(work.record.number, image.key)
    work.emit("image.built", key=image.key, size=image.size, seconds=image.seconds)
    return image


def _full_disk(work: Work) -> str:
    """What many a program that finds no space does not say; empty where there is some."""
    images = work.parts.home.images
    own = images / work.record.app
    folder = own if own.is_dir() else images
    free = shutil.disk_usage(folder).free
    return f"hardly any space is left in {folder}" if free < FULL_BYTES else ""


def run_tests(work: Work, image: Image, database: ThrowAwayDatabase | None) -> None:
    """The app's own tests, in the image that would be released; red ends the release."""
    test = work.app.test
    if test is None:
        return
    name = (work.app.database or Database()).url
    with work.stage("test"):
        secrets = {name: database.url(work.stop)} if database else {}
        wanted = fleet.Wanted(process=TEST, run=test.run)
        made = once.machine_for(work, image, wanted, secrets=secrets)
        made = bucket.apart(work.parts, work.app, made)  # it must not see production's files
        made = replace(made, keep={}, loopback=True)
        with outputs.reports_kept(work, made) as tests:
            once.run_once(work, tests, seconds=test.deadline)


def assess(work: Work, found: "Future[Found]") -> Found:
    """Find out, before production is touched, whether there is room, and what may break."""
    with work.stage("assess"):
        find_room(work)
        return assessment.assess(work, found)


def verify(work: Work, incoming: Sequence[Machine], image: Image) -> None:
    """All machines healthy; then the smoke command against one of them."""
    with work.stage("verify"):
        fleet.prove_healthy(work.parts, work.app, incoming, stop=work.stop, emit=work.emit)
        settings = work.app.release
        if settings.smoke:
            wanted = fleet.Wanted(process="smoke", run=settings.smoke)
            url = {"BASE_URL": f"http://{incoming[0].address}"}
            made = once.machine_for(work, image, wanted, env=url)
            once.run_once(work, made, seconds=settings.smoke_deadline)
