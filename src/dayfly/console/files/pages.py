"""The pages of the files that only show. What changes something has a seal, see `changes`."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from jinja2 import Environment
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from dayfly.console.files import listing, previewing, searching, sending, versions
from dayfly.console.files.changes import Changes
from dayfly.console.files.desk import FRAMES, Desk, thing_of
from dayfly.console.files.places import PATH, Folder, Thing
from dayfly.console.files.uploads import Uploads
from dayfly.console.guard import POLICY
from dayfly.console.session import Sessions
from dayfly.console.state import State
from dayfly.errors import DayflyError, UsageError
from dayfly.files.objects import Version
from dayfly.files.opened import Opened
from dayfly.files.repository import Repository

DURATIONS = ("15m", "1h", "8h", "1d", "3d", "7d")  # of a link
Look = Callable[[Request, Repository], Response]


def routes(
    state: State, sessions: Sessions, templates: Environment, middleware: list[Middleware]
) -> list[BaseRoute]:
    desk = Desk(state, sessions, templates)
    pages = _Pages(desk)
    looks: dict[str, Look] = {
        PATH: pages.files,
        f"{PATH}/object": pages.object,
        f"{PATH}/deleted": pages.deleted,
        f"{PATH}/saved": pages.saved,
        f"{PATH}/shown": pages.shown,
    }
    return [
        *(Route(path, pages.looking(look), middleware=middleware) for path, look in looks.items()),
        *Changes(desk, pages.with_link).routes(middleware),
        *Uploads(desk).routes(middleware),
    ]


class _Pages:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def looking(self, look: Look) -> Callable[[Request], Any]:
        """With the archive opened for as long as the answer is made."""

        def looked(request: Request) -> Response:
            try:
                with self._desk.state.archive().opened() as repository:
                    return look(request, repository)
            except DayflyError as error:
                return self._desk.problem(error)

        async def endpoint(request: Request) -> Response:
            return await run_in_threadpool(looked, request)

        return endpoint

    def files(self, request: Request, repository: Repository) -> Response:
        told = request.query_params
        if searching.is_asked(told):
            return self._search(request, repository)
        if not told.get("bucket"):
            return self._desk.page("files_buckets.html", buckets=listing.buckets(repository))
        folder = Folder.of(told)
        held = listing.held(repository, folder.bucket)
        return self._desk.page(
            "files_folder.html",
            folder=folder,
            held=held,
            shown=listing.shown(repository, folder, held.leases),
            begun=listing.unfinished(repository, folder),
            seal=self._desk.seal(request),
            gone=_gone(repository, folder, told.get("gone", "")),
        )

    def _search(self, request: Request, repository: Repository) -> Response:
        told, folder = request.query_params, Folder.of(request.query_params)
        rows: Sequence[searching.Found] = ()
        more, problem = False, None
        try:
            asked = searching.wanted(told, time.time_ns())
            rows, more = searching.found(repository, asked)
        except UsageError as error:
            problem = error
        return self._desk.page(
            "files_found.html",
            400 if problem else 200,
            folder=folder,
            told=told,
            rows=rows,
            more=more,
            problem=problem,
        )

    def object(self, request: Request, repository: Repository) -> Response:
        return self._object(request, repository, thing_of(request))

    def with_link(
        self, request: Request, repository: Repository, thing: Thing, link: str
    ) -> Response:
        """The page of an object with a link that was made for it."""
        return self._object(request, repository, thing, link)

    def _object(
        self, request: Request, repository: Repository, thing: Thing, link: str = ""
    ) -> Response:
        states = versions.states(repository, thing, request.query_params.get("older", ""))
        if not states.rows:
            raise versions.missing(thing)
        current = versions.present(repository, thing)
        version = _wanted(repository, thing) if thing.version else current
        preview = _preview(repository, thing, version)
        return self._desk.page(
            "files_object.html",
            policy=FRAMES if preview and preview.kind == "pdf" else POLICY,
            thing=thing,
            held=listing.held(repository, thing.bucket),
            states=states,
            current=current,
            version=version,
            facts=versions.facts(version) if version else {},
            preview=preview,
            durations=DURATIONS,
            link=link,
            seal=self._desk.seal(request),
        )

    def deleted(self, request: Request, repository: Repository) -> Response:
        folder = Folder.of(request.query_params)
        held = listing.held(repository, folder.bucket)
        rows, following = listing.deleted(repository, folder)
        return self._desk.page(
            "files_deleted.html",
            folder=folder,
            held=held,
            rows=rows,
            next=following,
            trashed=list(listing.trashed(repository, folder)),
        )

    def saved(self, request: Request, repository: Repository) -> Response:
        thing = thing_of(request)
        return sending.saved(_opened(repository, thing), thing)

    def shown(self, request: Request, repository: Repository) -> Response:
        """Only what a preview shows, as what its bytes are."""
        thing = thing_of(request)
        opened = _opened(repository, thing)
        found = previewing.preview(thing.key, _head(opened), opened.version.size)
        if not found.type:
            opened.close()
            raise UsageError("This is not shown; save it instead.")
        return sending.shown(opened, thing, found.type)


def _opened(repository: Repository, thing: Thing) -> Opened:
    return repository.open(thing.bucket, thing.key, thing.version)


def _wanted(repository: Repository, thing: Thing) -> Version | None:
    """None for a deletion."""
    found = repository.head(thing.bucket, thing.key, thing.version)
    return None if found.marker else found


def _preview(
    repository: Repository, thing: Thing, version: Version | None
) -> previewing.Preview | None:
    if version is None:
        return None
    with _opened(repository, thing) as opened:
        return previewing.preview(thing.key, _head(opened), opened.version.size)


def _head(opened: Opened) -> bytes:
    return b"".join(opened.pieces(0, min(previewing.HEAD, opened.version.size)))


def _gone(repository: Repository, folder: Folder, key: str) -> dict[str, str] | None:
    """What was deleted just now, with the way back if there is one."""
    thing = Thing(bucket=folder.bucket, key=key)
    if not key or versions.present(repository, thing):
        return None
    kept = versions.newest(repository, thing)
    trashed = None if kept else _trashed(repository, thing)
    back = thing.address("restore", version=kept.id) if kept else trashed
    return {"name": thing.name, "back": back or ""}


def _trashed(repository: Repository, thing: Thing) -> str:
    for each in repository.care.trash(thing.bucket):
        if each.version.key == thing.key and not each.version.marker:
            return thing.address("restore", trashed=each.version.uid)
    return ""
