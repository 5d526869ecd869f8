"""What a build and its tests have made goes into the app's bucket of the file archive."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

from dayfly.errors import DayflyError, StoppedError
from dayfly.files.gathering import Found, files, key_of, leads, names, store, type_of
from dayfly.files.keys import unfit
from dayfly.files.objects import Description, Provenance
from dayfly.files.store import Store
from dayfly.images.image import Image
from dayfly.machines import workdir
from dayfly.machines.machine import Spec
from dayfly.release.work import ReleaseError, Work

MOST_TOLD = 100  # of the versions that an event names

Origin = Literal["build", "test"]


def keep_built(work: Work, image: Image) -> None:
    """ReleaseError where the archive does not take it: nothing of production is touched yet."""
    places = work.app.build.output_places
    if not places:
        return
    into = work.folder / "outputs"
    with work.stage("archive"):
        workdir.discard(into)  # of before a crash
        try:
            found = work.parts.builder.files(
                image, lambda path: key_of(path, places) is not None, into
            )
            _put(work, "build", places, found)
        finally:
            workdir.discard(into)


@contextmanager
def reports_kept(work: Work, made: Spec) -> Iterator[Spec]:
    """A machine for tests with folders to write into; what is there at its end is put.

    Also of tests that fail, whose error is the one to tell.
    """
    places = work.app.test.output_places if work.app.test else {}
    if not places:
        yield made
        return
    own = work.parts.home.scratch / f"kept-{made.name}"
    keep = {place: own / place for place in workdir.log_places(places)}
    try:
        with _told_of_red(work, partial(_put, work, "test", places, own, made.name)):
            yield replace(made, keep=keep)
        _put(work, "test", places, own, made.name)
    finally:
        workdir.discard(own)


@contextmanager
def _told_of_red(work: Work, put: Callable[[], None]) -> Iterator[None]:
    try:
        yield
    except StoppedError:
        raise
    except DayflyError:
        try:
            put()
        except DayflyError as error:
            _tell(work, error.message)
        raise


def _put(
    work: Work, of: Origin, places: Mapping[str, str], folder: Path, machine: str = ""
) -> None:
    paths = list[str]()
    kept = list[dict[str, object]]()
    try:
        with work.parts.archive.opened() as repository:
            named = partial(key_of, places=places)
            for found in files(folder, named, leads=partial(leads, places)):
                try:
                    paths.append(found.path)
                    kept += _stored(work, repository, found, machine)
                finally:
                    os.close(found.descriptor)
    except DayflyError as error:
        raise ReleaseError(
            f"the archive does not take the outputs of the {of}: {error.message}", hint=error.hint
        ) from error
    for glob in places:
        if not any(names(glob, path) for path in paths):
            _tell(work, f"outputs of [{of}]: {glob} names no file")
    bucket = work.parts.archive.bucket_of(work.app)
    work.emit("archived", of=of, bucket=bucket, count=len(kept), versions=kept[:MOST_TOLD])


def _stored(work: Work, repository: Store, found: Found, machine: str) -> list[dict[str, object]]:
    """None of a file whose path can be no key."""
    if why := unfit(found.key):
        _tell(work, f"{found.path[:200]!a} is not archived: {why[:200]}")
        return []
    bucket = work.parts.archive.bucket_of(work.app)
    version = store(repository, bucket, found, _described(work, found, machine))
    return [{"key": found.key, "version": version.id, "size": version.size}]


def _tell(work: Work, message: str) -> None:
    work.emit("note", message=message)


def _described(work: Work, found: Found, machine: str) -> Description:
    return Description(
        owner=work.app.app,
        headers={"content-type": type_of(found.key)},
        provenance=Provenance(
            who=work.app.app,
            release=str(work.record.number),
            commit=work.record.commit,
            machine=machine,
            source=found.path,
        ),
    )
